/** Attributes as people type them: `http.route=/api/x status=500 name="two words"`. */

const PAIR = /\s*([^\s="]+)=("(?:[^"\\]|\\.)*"|[^\s"]\S*|)(?=\s|$)/y;

/**
 * Read pairs; `wrong` is what could not be read, from there to the end.
 *
 * @param {string} typed
 * @returns {{pairs: Record<string, string>, wrong: string}}
 */
export function readPairs(typed) {
  const text = typed.trim();
  /** @type {Record<string, string>} */
  const pairs = {};
  PAIR.lastIndex = 0;
  let end = 0;
  for (let found = PAIR.exec(text); found; found = PAIR.exec(text)) {
    pairs[found[1]] = found[2].startsWith('"') ? found[2].slice(1, -1).replace(/\\(.)/g, "$1") : found[2];
    end = PAIR.lastIndex;
  }
  return { pairs, wrong: text.slice(end).trim() };
}

/**
 * Write pairs so that `readPairs` returns the same.
 *
 * @param {Record<string, unknown>} pairs
 */
export function writePairs(pairs) {
  return Object.entries(pairs)
    .map(([key, value]) => `${key}=${quoted(String(value))}`)
    .join(" ");
}

/** @param {string} value */
const quoted = (value) => (/^[^\s"]\S*$/.test(value) ? value : `"${value.replace(/[\\"]/g, "\\$&")}"`);
