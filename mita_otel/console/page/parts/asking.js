/** What the filter forms of several views have in common: what they offer and how they read attributes and times. */

import { Fault, get } from "../api.js";
import { setOptions } from "./fields.js";
import { readPairs } from "./pairs.js";

export const ANY = /** @type {const} */ (["", "any"]);
export const LOOKBACK = 3600; // seconds, unless the query says otherwise

/**
 * Offer the names that the console lists.
 *
 * @param {HTMLFormElement} form
 * @param {string} name     of the field
 * @param {string} path     of the list
 * @param {AbortSignal} signal
 */
export async function offer(form, name, path, signal) {
  try {
    const { data } = await get(path, {}, signal);
    const names = /** @type {string[]} */ (data).toSorted();
    setOptions(/** @type {HTMLSelectElement} */ (form.elements.namedItem(name)), [ANY, ...names.map((item) => /** @type {const} */ ([item, item]))]);
  } catch {
    // The search beside it tells that the console is away.
  }
}

/**
 * Return typed attributes as the console wants them: JSON, or nothing if there are none.
 *
 * @param {string | undefined} typed
 * @throws {Fault} they cannot be read
 */
export function attributesOf(typed) {
  const { pairs, wrong } = readPairs(typed ?? "");
  if (wrong) throw new Fault(`Attributes are key=value pairs, with quotes around values with spaces. This is none: ${wrong}`);
  return Object.keys(pairs).length ? JSON.stringify(pairs) : undefined;
}

/**
 * Return where a look-back begins, in µs; nothing if it has no end.
 *
 * @param {string | undefined} seconds
 */
export function startOf(seconds) {
  const back = Number(seconds ?? LOOKBACK);
  return back ? Math.round(Date.now() * 1000 - back * 1e6) : undefined;
}
