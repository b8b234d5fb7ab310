/** One colour for each service, the same on every page: the style sheet has them as `--hue-0` to `--hue-11`. */

const HUES = 12;

/** @type {Map<string, number>} */
const given = new Map();

/**
 * Return the CSS value of a name's colour: that of its hash, or the next one that differs enough from those given.
 *
 * @param {string} name
 */
export function colourOf(name) {
  let hue = given.get(name);
  if (hue === undefined) {
    hue = farFrom([...given.values()], hash(name) % HUES);
    given.set(name, hue);
  }
  return `var(--hue-${hue})`;
}

/**
 * @param {number[]} taken
 * @param {number} wanted
 */
function farFrom(taken, wanted) {
  const distance = (/** @type {number} */ one, /** @type {number} */ other) => Math.min((one - other + HUES) % HUES, (other - one + HUES) % HUES);
  const candidates = Array.from({ length: HUES }, (_, step) => (wanted + step * 5) % HUES); // 5 and 12 have no common divisor
  for (const least of [4, 3, 2, 1]) {
    const found = candidates.find((hue) => taken.every((other) => distance(hue, other) >= least));
    if (found !== undefined) return found;
  }
  return wanted;
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
