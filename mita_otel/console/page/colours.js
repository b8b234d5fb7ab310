/** One colour for each service, the same on every page: the style sheet has them as `--hue-0` to `--hue-11`. */

const HUES = 12;

/** @type {Map<string, number>} */
const given = new Map();

/**
 * Return the CSS value of a name's colour. A name gets the colour of its hash, or the next one that is free.
 *
 * @param {string} name
 */
export function colourOf(name) {
  let hue = given.get(name);
  if (hue === undefined) {
    hue = hash(name) % HUES;
    const taken = new Set(given.values());
    if (taken.size < HUES) while (taken.has(hue)) hue = (hue + 5) % HUES; // 5 and 12 have no common divisor
    given.set(name, hue);
  }
  return `var(--hue-${hue})`;
}

/**
 * Return the CSS value of the colour of a series by its place in the chart.
 *
 * @param {number} place
 */
export const colourAt = (place) => `var(--hue-${(place * 5) % HUES})`;

/** @param {string} name */
function hash(name) {
  let sum = 0;
  for (const letter of name) sum = (Math.imul(sum, 31) + /** @type {number} */ (letter.codePointAt(0))) >>> 0;
  return sum;
}
