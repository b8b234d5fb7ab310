/** What could not be had is told where it would have been, with a way to try again. */

import { Fault } from "../api.js";
import { h } from "../dom.js";

export const BACK = "console-back"; // the event of a console that answers again

/**
 * Do something, and tell in `slot` if it fails; the slot is emptied when it succeeds.
 *
 * @param {Element} slot
 * @param {() => Promise<unknown>} work
 * @param {AbortSignal} signal  whoever aborts it wants to hear nothing more
 */
export async function attempt(slot, work, signal) {
  try {
    await work();
    slot.replaceChildren();
  } catch (error) {
    if (signal.aborted) return;
    const fault = error instanceof Fault ? error : new Fault(`This page failed: ${/** @type {Error} */ (error).message}`);
    if (fault !== error) console.error(error);
    slot.replaceChildren(box(fault, () => attempt(slot, work, signal), signal));
  }
}

/**
 * @param {Fault} fault
 * @param {() => Promise<unknown>} again
 * @param {AbortSignal} signal
 */
function box(fault, again, signal) {
  const retry = h("button", { class: "button", type: "button", onclick: press }, "Try again");
  async function press() {
    retry.disabled = true;
    await again();
  }
  if (fault.away) addEventListener(BACK, press, { once: true, signal });
  const hint = fault.away && h("p", {}, "Is it still running? This goes on by itself as soon as it answers.");
  return h("div", { class: "fault", role: "alert" }, h("div", {}, h("p", {}, h("strong", {}, fault.message)), hint), retry);
}

/**
 * Return a note about what is shown, such as a part that is missing.
 *
 * @param {...import("../dom.js").Child} children
 */
export const note = (...children) => h("p", { class: "note" }, h("span", { class: "glyph", "aria-hidden": "true" }, "!"), h("span", {}, children));

/**
 * Return what stands where nothing was found.
 *
 * @param {string} title
 * @param {...import("../dom.js").Child} children
 */
export const nothing = (title, ...children) => h("div", { class: "nothing" }, h("h2", {}, title), children);
