/** The address of a view: `#/traces/<item>?key=value`. It holds the whole state of what is shown. */

/** @typedef {Record<string, string>} Query */
/** @typedef {{view: string, item: string, query: Query}} Route */
/** @typedef {Record<string, string | number | boolean | null | undefined>} Change */

/**
 * @param {string} hash
 * @returns {Route}
 */
export function parse(hash) {
  const text = hash.replace(/^#?\/?/, "");
  const mark = text.indexOf("?");
  const path = mark < 0 ? text : text.slice(0, mark);
  const [view, ...item] = path.split("/");
  const query = mark < 0 ? {} : Object.fromEntries(new URLSearchParams(text.slice(mark + 1)));
  return { view, item: decode(item.join("/")), query };
}

/**
 * Return the address of a view; what is empty, `false` or not given stays out of it.
 *
 * @param {string} view
 * @param {string} [item]
 * @param {Change} [query]
 */
export function address(view, item = "", query = {}) {
  const given = Object.entries(query).filter(([, value]) => value !== "" && value !== null && value !== undefined && value !== false);
  const search = new URLSearchParams(given.map(([key, value]) => [key, value === true ? "1" : String(value)])).toString();
  return `#/${view}${item ? `/${encodeURIComponent(item)}` : ""}${search ? `?${search}` : ""}`;
}

/** Return where the browser is. */
export const here = () => parse(location.hash);

/**
 * Return the address of what is shown with another query: keys of `change` replace or, if empty, remove.
 *
 * @param {Change} change
 */
export function changed(change) {
  const { view, item, query } = here();
  return address(view, item, { ...query, ...change });
}

/**
 * Go to an address, as a new entry of the history or in place of the current one. What is shown follows at once, and
 * not, as with `location.hash`, some time after the next key.
 *
 * @param {string} to
 * @param {{replace?: boolean}} [how]
 */
export function go(to, { replace = false } = {}) {
  if (to === location.hash) return;
  if (replace) history.replaceState(null, "", to);
  else history.pushState(null, "", to);
  dispatchEvent(new HashChangeEvent("hashchange"));
}

/** Where each view's list was left, for the way back from one of its items. @type {Map<string, string>} */
const left = new Map();

/** Remember where the browser is, if it is a list. */
export function remember() {
  const { view, item } = here();
  if (!item) left.set(view, location.hash);
}

/**
 * Return the address of a view's list as it was left.
 *
 * @param {string} view
 */
export const listOf = (view) => left.get(view) ?? address(view);

/** @param {string} text */
function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // somebody typed a lone per cent sign
  }
}
