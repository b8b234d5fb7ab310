/** Lists whose lines take the focus: `j` and `k` go through them, and a new rendering keeps the line in focus. */

import { bind } from "../keys.js";

/**
 * @param {HTMLElement} list  lines are marked by `data-row`
 * @param {AbortSignal} signal
 */
export function walk(list, signal) {
  /** @param {number} by */
  const step = (by) => {
    const rows = /** @type {HTMLElement[]} */ ([...list.querySelectorAll("[data-row]")]);
    if (!rows.length) return false;
    const at = rows.findIndex((row) => row.contains(document.activeElement));
    const next = rows[at < 0 ? 0 : Math.min(Math.max(at + by, 0), rows.length - 1)];
    next.focus();
    next.scrollIntoView({ block: "nearest" });
  };
  bind({ j: () => step(1), k: () => step(-1) }, signal);
}

/**
 * Render a list anew; the line in focus, known by its `data-row`, stays in focus.
 *
 * @param {HTMLElement} list
 * @param {() => void} render
 */
export function keepingFocus(list, render) {
  const focused = /** @type {HTMLElement | null} */ (document.activeElement);
  const key = focused && list.contains(focused) ? focused.dataset.row : undefined;
  render();
  if (key) /** @type {HTMLElement | null} */ (list.querySelector(`[data-row="${CSS.escape(key)}"]`))?.focus({ preventScroll: true });
}
