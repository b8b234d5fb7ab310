/** Keys that work anywhere but in a field, and the list of them that `?` shows. */

import { h } from "./dom.js";

/** @typedef {Record<string, (event: KeyboardEvent) => unknown>} Bindings */

/** Newest last: the newest that knows a key takes it. A handler that returns `false` passes it on. @type {Bindings[]} */
const stack = [];

const HELP = /** @type {const} */ ([
  ["/", "search"],
  ["j  k", "next, previous line"],
  ["Enter", "open"],
  ["Esc", "close, back"],
  ["← →", "collapse, expand (trace); read the burn-down (SLO)"],
  ["z", "zoom to the chosen span, and out again (trace)"],
  ["p", "pause, go on (live views)"],
  ["r", "ask again"],
  ["1 2 …", "the tabs"],
  ["t", "light, dark"],
  ["?", "these keys"],
]);

/**
 * Bind keys (names as in `KeyboardEvent.key`) until `signal` is aborted.
 *
 * @param {Bindings} bindings
 * @param {AbortSignal} [signal]
 */
export function bind(bindings, signal) {
  stack.push(bindings);
  signal?.addEventListener("abort", () => stack.splice(stack.indexOf(bindings), 1));
}

/** Listen; to be called once. */
export function listen() {
  addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    const field = /** @type {HTMLElement} */ (event.target).closest?.("input, select, textarea");
    if (field) {
      if (event.key === "Escape") /** @type {HTMLElement} */ (field).blur();
      if (!isButtonLike(field) || event.key === "Escape") return;
    }
    if (document.querySelector("dialog[open]")) return;
    const taken = stack.toReversed().some((bindings) => bindings[event.key] && bindings[event.key](event) !== false);
    if (taken) event.preventDefault();
  });
}

/** Show the list of keys. */
export function showKeys() {
  const rows = HELP.map(([key, what]) => [h("dt", {}, key.split(/\s+/).map((part) => h("kbd", {}, part))), h("dd", {}, what)]);
  const dialog = h(
    "dialog",
    { class: "keys", "aria-labelledby": "keys-title", onclose: () => dialog.remove() },
    h("h2", { id: "keys-title" }, "Keys"),
    h("dl", {}, rows),
    h("form", { method: "dialog" }, h("button", { class: "button" }, "Close")),
  );
  document.body.append(dialog);
  dialog.showModal();
}

/**
 * A check box takes no text.
 *
 * @param {Element} field
 */
const isButtonLike = (field) => field instanceof HTMLInputElement && field.type === "checkbox";
