/** A chart of lines over time, with a reading of all of them where the pointer is. */

import { h } from "../dom.js";
import { clock } from "../format.js";
import { hideTip, showTip } from "../parts/tip.js";
import { fromZero, timeline } from "./scale.js";

/** @typedef {import("../contract.js").Point} Point */
/** @typedef {{name: string, points: Point[], colour: string, dash: number}} Line */
/** @typedef {{time: number, value: number, told: string, came: boolean, open: () => void}} Mark */
/** @typedef {import("./scale.js").Scale} Scale */

const HEIGHT = 220;
const EDGE = { left: 72, right: 14, top: 12, bottom: 24 };
const BEYOND = 1.6; // times the highest line: marks above that stand at the upper edge
const GAP = 3.5; // times the usual distance of points breaks a line

/**
 * @param {object} about
 * @param {string} about.label
 * @param {Line[]} about.lines
 * @param {Mark[]} about.marks
 * @param {[number, number]} about.window  µs
 * @param {(value: number) => string} about.show
 * @param {boolean} about.binary           ticks are powers of two
 * @param {number} about.width
 */
export function lineChart({ label, lines, marks, window, show, binary, width }) {
  const values = lines.flatMap(({ points }) => points.map(([, value]) => value ?? 0));
  const top = Math.max(...values);
  const reached = [...values, ...marks.map((mark) => Math.min(mark.value, top * BEYOND || mark.value))];
  const y = fromZero(reached, [HEIGHT - EDGE.bottom, EDGE.top], { binary });
  const x = timeline(window, [EDGE.left, width - EDGE.right], width / 120);
  const paths = lines.map((line) => lineElement(line, x, y));
  const cross = h("svg:line", { class: "cross-hair", y1: EDGE.top, y2: HEIGHT - EDGE.bottom, visibility: "hidden" });
  const element = h(
    "svg:svg",
    { class: "line-chart", width, height: HEIGHT, role: "img", "aria-label": label },
    grid(x, y, width, show),
    cross,
    paths,
    marks.map((mark) => markElement(mark, x, y)),
  );
  const limits = { left: EDGE.left, right: width - EDGE.right };
  element.addEventListener("pointermove", (/** @type {PointerEvent} */ event) => read(event, { element, cross, lines, x, show, limits }));
  element.addEventListener("pointerleave", () => {
    cross.setAttribute("visibility", "hidden");
    hideTip();
  });
  return {
    element,
    /** @param {number | null} place  of the line that stands out, if one does */
    highlight: (place) => paths.forEach((path, index) => path.classList.toggle("faint", place !== null && index !== place)),
  };
}

/**
 * @param {Scale} x
 * @param {Scale} y
 * @param {number} width
 * @param {(value: number) => string} show
 */
export function grid(x, y, width, show) {
  return [
    y.ticks.map((tick) => [
      h("svg:line", { class: "grid", x1: EDGE.left, x2: width - EDGE.right, y1: y.place(tick), y2: y.place(tick) }),
      h("svg:text", { class: "tick", x: EDGE.left - 8, y: y.place(tick) + 4, "text-anchor": "end" }, show(tick)),
    ]),
    x.ticks.map((tick) => h("svg:text", { class: "tick", x: x.place(tick), y: HEIGHT - 6, "text-anchor": "middle" }, clock(tick, 0).replace(/:00$/, ""))),
  ];
}

/**
 * @param {Line} line
 * @param {Scale} x
 * @param {Scale} y
 */
function lineElement({ points, colour, dash }, x, y) {
  const { path, dots } = curve(points, x, y);
  const style = { stroke: colour };
  return h("svg:g", { class: "series-line" }, h("svg:path", { class: `curve dash-${dash}`, d: path, style }), h("svg:path", { class: "dots", d: dots, style }));
}

/**
 * Return the path of a line, and that of the dots for points that stand alone. The line goes on over points that are
 * missing as long as the gap is not unusual.
 *
 * @param {Point[]} points
 * @param {Scale} x
 * @param {Scale} y
 */
export function curve(points, x, y) {
  const known = /** @type {[number, number][]} */ (points.filter(([, value]) => value !== null));
  const distances = known.slice(1).map(([time], index) => time - known[index][0]);
  const usual = distances.toSorted((one, other) => one - other)[distances.length >> 1] ?? 0;
  const breaks = (/** @type {number} */ index) => index < 0 || index >= distances.length || distances[index] > usual * GAP;
  let [path, dots] = ["", ""];
  known.forEach(([time, value], index) => {
    const place = `${x.place(time).toFixed(1)} ${y.place(value).toFixed(1)}`;
    if (!breaks(index - 1)) path += `L${place}`;
    else if (!breaks(index)) path += `M${place}`;
    else dots += `M${place}h.01`;
  });
  return { path, dots };
}

/**
 * @param {Mark} mark
 * @param {Scale} x
 * @param {Scale} y
 */
function markElement({ time, value, told, came, open }, x, y) {
  const place = `translate(${x.place(time).toFixed(1)} ${Math.max(EDGE.top, y.place(value)).toFixed(1)})`;
  const tell = (/** @type {PointerEvent} */ event) => {
    event.stopPropagation();
    showTip(event, told);
  };
  const r = came ? 7 : 4.5;
  return h("svg:path", { class: came ? "exemplar-mark came" : "exemplar-mark", d: `M0 ${-r}L${r} 0L0 ${r}L${-r} 0Z`, transform: place, onclick: open, onpointermove: tell, onpointerleave: hideTip });
}

/**
 * @param {PointerEvent} event
 * @param {{element: Element, cross: Element, lines: Line[], x: Scale, show: (value: number) => string, limits: {left: number, right: number}}} chart
 */
function read(event, { element, cross, lines, x, show, limits }) {
  const at = event.clientX - element.getBoundingClientRect().left;
  if (at < limits.left || at > limits.right) return;
  cross.setAttribute("x1", String(at));
  cross.setAttribute("x2", String(at));
  cross.setAttribute("visibility", "visible");
  const time = x.value(at);
  const rows = lines.slice(0, 12).map((line) => {
    const value = nearest(line.points, time);
    return h("span", { class: "tip-row" }, h("span", { class: "swatch", style: { background: line.colour } }), h("span", {}, line.name), h("b", {}, value === null ? "–" : show(value)));
  });
  showTip(event, h("strong", {}, clock(time, 0)), rows);
}

/**
 * Return the value nearest in time.
 *
 * @param {Point[]} points
 * @param {number} time
 */
export function nearest(points, time) {
  let best = null;
  let distance = Infinity;
  for (const [at, value] of points) {
    if (value === null || Math.abs(at - time) >= distance) continue;
    best = value;
    distance = Math.abs(at - time);
  }
  return best;
}
