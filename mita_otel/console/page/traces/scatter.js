/** Latencies over time: one mark for each trace, a disc if all went well and a cross on a diamond if something failed. */

import { spread, timeline } from "../chart/scale.js";
import { fill, h } from "../dom.js";
import { clock, counted, duration } from "../format.js";
import { inNextFrame } from "../live.js";
import { hideTip, showTip } from "../parts/tip.js";
import { address, go } from "../route.js";

/** @typedef {import("../contract.js").TraceSummary} TraceSummary */

const HEIGHT = 148;
const EDGE = { left: 64, right: 16, top: 12, bottom: 24 };

/**
 * Return the picture; it follows the width it is given.
 *
 * @param {AbortSignal} signal
 */
export function scatter(signal) {
  const element = h("figure", { class: "scatter", "aria-label": "Latencies", hidden: true });
  /** @type {TraceSummary[]} */
  let traces = [];
  const draw = inNextFrame(() => {
    element.hidden = traces.length === 0;
    if (traces.length && element.clientWidth) fill(element, picture(traces, element.clientWidth));
  });
  const watch = new ResizeObserver(draw);
  watch.observe(element);
  signal.addEventListener("abort", () => (watch.disconnect(), hideTip()));
  return {
    element,
    /** @param {TraceSummary[]} found */
    show(found) {
      traces = found;
      element.hidden = traces.length === 0;
      draw();
    },
  };
}

/**
 * @param {TraceSummary[]} traces
 * @param {number} width
 */
function picture(traces, width) {
  const durations = traces.map((trace) => trace.duration);
  const starts = traces.map((trace) => trace.start);
  const [first, last] = [Math.min(...starts), Math.max(...starts)];
  const padding = Math.max((last - first) * 0.03, 20_000);
  const x = timeline([first - padding, last + padding], [EDGE.left, width - EDGE.right], width / 130);
  const y = spread(durations, [HEIGHT - EDGE.bottom, EDGE.top]);
  const label = `Latencies of ${counted(traces.length, "trace")}, ${duration(Math.min(...durations))} to ${duration(Math.max(...durations))}; the list below has the same`;
  return h(
    "svg:svg",
    { width, height: HEIGHT, role: "img", "aria-label": label },
    y.ticks.map((tick) => [
      h("svg:line", { class: "grid", x1: EDGE.left, x2: width - EDGE.right, y1: y.place(tick), y2: y.place(tick) }),
      h("svg:text", { class: "tick", x: EDGE.left - 8, y: y.place(tick) + 4, "text-anchor": "end" }, duration(tick)),
    ]),
    x.ticks.map((tick) => h("svg:text", { class: "tick", x: x.place(tick), y: HEIGHT - 6, "text-anchor": "middle" }, clock(tick, last - first < 1e6 ? 3 : last - first < 10e6 ? 1 : 0))),
    [...traces].sort((one, other) => one.errors - other.errors).map((trace) => mark(trace, x.place(trace.start), y.place(trace.duration))),
  );
}

/**
 * @param {TraceSummary} trace
 * @param {number} x
 * @param {number} y
 */
function mark(trace, x, y) {
  const radius = Math.min(3.5 + Math.log2(trace.spans) / 2, 9);
  const failed = trace.errors > 0;
  const about = {
    class: failed ? "mark failed" : "mark",
    transform: `translate(${x.toFixed(1)} ${y.toFixed(1)})`,
    data: { trace: trace.traceID },
    onclick: () => go(address("traces", trace.traceID)),
    onpointermove: (/** @type {PointerEvent} */ event) => showTip(event, told(trace)),
    onpointerleave: hideTip,
  };
  if (!failed) return h("svg:g", about, h("svg:circle", { r: radius }));
  const r = Math.max(radius + 1, 6);
  const c = r * 0.3;
  const cross = `M${-c} ${-c}L${c} ${c}M${-c} ${c}L${c} ${-c}`;
  return h("svg:g", about, h("svg:path", { d: `M0 ${-r}L${r} 0L0 ${r}L${-r} 0Z` }), h("svg:path", { class: "cross", d: cross }));
}

/** @param {TraceSummary} trace */
const told = (trace) => [
  h("strong", {}, `${trace.service}: ${trace.operation}`),
  h("span", {}, `${duration(trace.duration)} · ${counted(trace.spans, "span")}${trace.errors ? ` · ${counted(trace.errors, "error")}` : ""}`),
  h("span", {}, clock(trace.start)),
];
