/** A time as an element: the viewer's zone in the text, UTC on hover. */

import { h } from "../dom.js";
import { clock, utc } from "../format.js";

/**
 * @param {number} us
 * @param {number} [digits]  of the second
 */
export function moment(us, digits = 3) {
  const date = new Date(us / 1000);
  const iso = Number.isNaN(date.getTime()) ? undefined : date.toISOString();
  return h("time", { datetime: iso, title: utc(us) }, clock(us, digits));
}
