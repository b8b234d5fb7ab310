/** The waterfall. Only the lines in sight are in the document, so that a trace may have many thousands. */

import { fill, h } from "../dom.js";
import { inNextFrame } from "../live.js";
import { lineElement } from "./line.js";
import { ruler } from "./ruler.js";

/** @typedef {import("./lines.js").Line} Line */

/**
 * What is shown.
 *
 * @typedef {object} Shown
 * @property {Line[]} lines
 * @property {ReadonlySet<string>} withRecords  ids of spans that have log records beside them
 * @property {[number, number]} window      µs
 * @property {number} origin               µs, where the trace begins
 * @property {boolean} critical            mark the critical path
 * @property {string | null} chosen        the key of the line whose details are open
 * @property {ReadonlySet<string> | null} matches  keys of lines that have what is searched for
 */

/**
 * @typedef {object} Actions
 * @property {(key: string) => void} fold
 * @property {(key: string) => void} choose
 * @property {(window: [number, number]) => void} zoom
 */

const AROUND = 12; // lines rendered above and below those in sight
const NARROW = matchMedia("(max-width: 720px)");

/**
 * @param {Actions} actions
 * @param {AbortSignal} signal
 */
export function waterfall(actions, signal) {
  const rows = h("div", { class: "waterfall-rows", role: "presentation" });
  const body = h("div", { class: "waterfall-body", role: "treegrid", "aria-label": "Spans", tabindex: "0" }, rows);
  const scale = ruler(actions.zoom);
  const element = h("div", { class: "waterfall" }, scale.element, body);
  /** @type {Shown | null} */
  let shown = null;
  /** @type {string | null} */
  let cursor = null;

  const height = () => (NARROW.matches ? 46 : 28);

  function draw() {
    if (!shown) return;
    const line = height();
    const first = Math.max(0, Math.floor(body.scrollTop / line) - AROUND);
    const last = Math.min(shown.lines.length, Math.ceil((body.scrollTop + body.clientHeight) / line) + AROUND);
    rows.style.setProperty("height", `${shown.lines.length * line}px`);
    const elements = [];
    for (let index = first; index < last; index++) elements.push(lineElement(shown, index, index * line, shown.lines[index].key === cursor));
    fill(rows, elements);
    body.setAttribute("aria-rowcount", String(shown.lines.length));
    if (cursor !== null && document.getElementById(`line-${cursor}`)) body.setAttribute("aria-activedescendant", `line-${cursor}`);
    else body.removeAttribute("aria-activedescendant");
  }

  /** @param {number} index */
  function reveal(index) {
    const line = height();
    const top = index * line;
    if (top < body.scrollTop + line) body.scrollTop = top - line;
    else if (top + line > body.scrollTop + body.clientHeight - line) body.scrollTop = top + 2 * line - body.clientHeight;
  }

  /** @param {string | null} key */
  function moveTo(key) {
    cursor = key;
    const index = shown ? shown.lines.findIndex((line) => line.key === key) : -1;
    if (index >= 0) reveal(index);
    draw();
  }

  body.addEventListener("scroll", inNextFrame(draw), { passive: true });
  body.addEventListener("click", (/** @type {MouseEvent} */ event) => {
    const target = /** @type {HTMLElement} */ (event.target);
    const row = /** @type {HTMLElement | null} */ (target.closest("[data-key]"));
    if (!row) return;
    const key = /** @type {string} */ (row.dataset.key);
    moveTo(key);
    if (target.closest(".fold")) actions.fold(key);
    else actions.choose(key);
  });
  const watch = new ResizeObserver(inNextFrame(draw));
  watch.observe(body);
  signal.addEventListener("abort", () => watch.disconnect());

  return {
    element,
    /** @param {Shown} wanted */
    show(wanted) {
      shown = wanted;
      scale.show(wanted.window, wanted.origin);
      draw();
    },
    moveTo,
    focus: () => body.focus({ preventScroll: true }),
    /** The line that the keys act on. */
    get current() {
      return shown?.lines.find((line) => line.key === cursor) ?? null;
    },
    /**
     * Move by lines.
     *
     * @param {number} by
     */
    step(by) {
      if (!shown?.lines.length) return null;
      const at = shown.lines.findIndex((line) => line.key === cursor);
      const next = shown.lines[at < 0 ? 0 : Math.min(Math.max(at + by, 0), shown.lines.length - 1)];
      moveTo(next.key);
      body.focus({ preventScroll: true });
      return next;
    },
  };
}
