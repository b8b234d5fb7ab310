/** A service minute by minute: its calls with the failed ones, and its latencies. */

import { grid, lineChart } from "../chart/lines.js";
import { fromZero, timeline } from "../chart/scale.js";
import { colourAt } from "../colours.js";
import { h } from "../dom.js";
import { clock, compact, counted, duration } from "../format.js";
import { hideTip, showTip } from "../parts/tip.js";

/** @typedef {import("../contract.js").Minute} Minute */

const MINUTE = 60e6;
const HEIGHT = 220;
const EDGE = { left: 72, right: 14, top: 12, bottom: 24 };

/**
 * @param {Minute[]} minutes
 * @param {[number, number]} window  µs
 * @param {number} width
 */
export function timelines(minutes, window, width) {
  const quantiles = /** @type {const} */ (["p50", "p95", "p99"]);
  const lines = quantiles.map((name, place) => ({
    name,
    points: minutes.map((minute) => /** @type {import("../contract.js").Point} */ ([minute.minute + MINUTE / 2, minute[name]])),
    colour: colourAt(place),
    dash: place,
  }));
  const key = lines.map(({ name, colour, dash }) => h("span", { class: "key-item" }, h("span", { class: `key dash-${dash}`, "aria-hidden": "true", style: { "--hue": colour } }), name));
  const latencies = lineChart({ label: "Latencies by minute", lines, marks: [], window, show: duration, binary: false, width });
  return [
    h("figure", { class: "chart" }, h("figcaption", {}, h("h2", {}, "Calls a minute"), h("span", { class: "key-item" }, h("span", { class: "bar-key failed", "aria-hidden": "true" }), "failed")), bars(minutes, window, width)),
    h("figure", { class: "chart" }, h("figcaption", {}, h("h2", {}, "Latency"), key), latencies.element),
  ];
}

/**
 * @param {Minute[]} minutes
 * @param {[number, number]} window
 * @param {number} width
 */
function bars(minutes, window, width) {
  const x = timeline(window, [EDGE.left, width - EDGE.right], width / 120);
  const y = fromZero(minutes.map((minute) => minute.calls), [HEIGHT - EDGE.bottom, EDGE.top]);
  const ground = y.place(0);
  const calls = minutes.reduce((sum, minute) => sum + minute.calls, 0);
  const failed = minutes.reduce((sum, minute) => sum + minute.errors, 0);
  const bar = (/** @type {Minute} */ minute) => {
    const [left, right] = [Math.max(x.place(minute.minute), EDGE.left), Math.min(x.place(minute.minute + MINUTE), width - EDGE.right)];
    const size = { x: left + 0.5, width: Math.max(right - left - 1.5, 1) };
    const tell = (/** @type {PointerEvent} */ event) => showTip(event, h("strong", {}, clock(minute.minute, 0)), `${counted(minute.calls, "call")}, ${counted(minute.errors, "error")}`);
    return h(
      "svg:g",
      { onpointermove: tell, onpointerleave: hideTip },
      h("svg:rect", { class: "bar-calls", ...size, y: y.place(minute.calls), height: ground - y.place(minute.calls) }),
      minute.errors > 0 && h("svg:rect", { class: "bar-errors", ...size, y: y.place(minute.errors), height: ground - y.place(minute.errors), fill: "url(#hatch)" }),
    );
  };
  return h(
    "svg:svg",
    { class: "bar-chart", width, height: HEIGHT, role: "img", "aria-label": `Calls by minute: ${counted(calls, "call")}, ${counted(failed, "error")}` },
    h("svg:defs", {}, h("svg:pattern", { id: "hatch", width: 5, height: 5, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" }, h("svg:rect", { class: "hatch-ground", width: 5, height: 5 }), h("svg:rect", { class: "hatch-line", width: 1.6, height: 5 }))),
    grid(x, y, width, compact),
    minutes.map(bar),
  );
}
