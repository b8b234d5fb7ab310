/** The map of which service calls which. */

import { colourOf } from "../colours.js";
import { h } from "../dom.js";
import { compact, counted, percent } from "../format.js";
import { hideTip, showTip } from "../parts/tip.js";
import { address, go } from "../route.js";
import { BOX, layOut } from "./layers.js";

/** @typedef {import("./layers.js").Place} Place */
/** @typedef {import("../contract.js").MapNode} MapNode */
/** @typedef {import("../contract.js").MapEdge} MapEdge */

const AROUND = 12; // px of air

/** @param {import("../contract.js").MapAnswer} map */
export function serviceMap(map) {
  const drawn = layOut(map);
  const most = map.edges.reduce((number, edge) => Math.max(number, edge.calls), 1);
  const [width, height] = [drawn.width + 2 * AROUND, drawn.height + 2 * AROUND];
  const label = `Map of ${counted(map.nodes.length, "service")}; the list after it has the same`;
  const picture = h(
    "svg:svg",
    { class: "map", width, height, viewBox: `${-AROUND} ${-AROUND} ${width} ${height}`, role: "img", "aria-label": label },
    h("svg:defs", {}, arrow("arrow"), arrow("arrow-failed")),
    drawn.edges.map((edge) => edgeElement(edge, most, labelPlace(edge, drawn.edges))),
    drawn.nodes.map(nodeElement),
  );
  return h(
    "div",
    { class: "map-frame" },
    h("div", { class: "map-scroll", tabindex: "0", role: "group", "aria-label": "Service map" }, picture),
    h("ul", { class: "unseen" }, map.edges.map((edge) => h("li", {}, told(edge)))),
  );
}

/** @param {MapEdge} edge */
const told = ({ caller, callee, calls, errors }) => `${caller} calls ${callee}: ${counted(calls, "call")}${errors ? `, ${counted(errors, "error")}` : ""}`;

/** @param {string} id */
const arrow = (id) =>
  h("svg:marker", { id, viewBox: "0 0 8 8", refX: "7", refY: "4", markerWidth: "7", markerHeight: "7", orient: "auto", markerUnits: "userSpaceOnUse" }, h("svg:path", { d: "M0 0L8 4L0 8Z" }));

/**
 * @param {MapEdge & {points: Place[]}} edge
 * @param {number} most  calls of any edge
 * @param {Place} place  of the label
 */
function edgeElement(edge, most, place) {
  const failed = edge.errors > 0;
  const path = route(edge.points);
  const weight = 1 + 2.5 * (Math.log1p(edge.calls) / Math.log1p(most));
  const label = failed ? `${compact(edge.calls)} · ! ${percent(edge.errors / edge.calls)}` : compact(edge.calls);
  return h(
    "svg:g",
    { class: failed ? "edge failed" : "edge", onpointermove: (/** @type {PointerEvent} */ event) => showTip(event, told(edge)), onpointerleave: hideTip },
    h("svg:path", { class: "edge-hit", d: path }),
    h("svg:path", { class: "edge-line", d: path, "stroke-width": weight.toFixed(1), "marker-end": `url(#${failed ? "arrow-failed" : "arrow"})` }),
    h("svg:text", { x: place.x, y: place.y + 4, "text-anchor": "middle" }, label),
  );
}

/**
 * Return a smooth path from the right side of the first box, through the stations, to the left side of the last.
 *
 * @param {Place[]} points  upper left corners
 */
function route(points) {
  let path = "";
  for (let index = 1; index < points.length; index++) {
    const [start, bend, other, end] = curve(points[index - 1], points[index]);
    path += `${index === 1 ? "M" : "L"}${start.x} ${start.y}C${bend.x} ${bend.y} ${other.x} ${other.y} ${end.x} ${end.y}`;
  }
  return path;
}

/**
 * Return the four points of the Bézier curve between two boxes.
 *
 * @param {Place} from
 * @param {Place} to
 * @returns {[Place, Place, Place, Place]}
 */
function curve(from, to) {
  const [x1, x2] = [from.x + BOX.width, to.x];
  const [y1, y2] = [from.y + BOX.height / 2, to.y + BOX.height / 2];
  const bend = Math.max(Math.abs(x2 - x1) / 2, 40);
  return [{ x: x1, y: y1 }, { x: x1 + bend, y: y1 }, { x: x2 - bend, y: y2 }, { x: x2, y: y2 }];
}

/**
 * Return where on its line a label stands: on the flat part within a layer that is crossed, else where the line is
 * alone: near the end that it shares with fewer others.
 *
 * @param {MapEdge & {points: Place[]}} edge
 * @param {MapEdge[]} edges
 */
function labelPlace({ caller, callee, points }, edges) {
  if (points.length > 2) {
    const station = points[points.length >> 1];
    return { x: station.x + BOX.width / 2, y: station.y + BOX.height / 2 };
  }
  const leaving = edges.filter((edge) => edge.caller === caller).length;
  const coming = edges.filter((edge) => edge.callee === callee).length;
  const t = leaving === coming ? 0.5 : leaving > coming ? 0.6 : 0.4;
  const [a, b, c, d] = curve(points[0], points[1]);
  const at = (/** @type {"x" | "y"} */ axis) =>
    (1 - t) ** 3 * a[axis] + 3 * (1 - t) ** 2 * t * b[axis] + 3 * (1 - t) * t ** 2 * c[axis] + t ** 3 * d[axis];
  return { x: at("x"), y: at("y") };
}

/** @param {MapNode & Place} node */
function nodeElement({ name, kind, calls, errors, x, y }) {
  const open = kind === "service" ? () => go(address("services", name)) : null;
  const down = kind === "database" ? 5 : 0; // below the rim
  const said = errors ? `${compact(calls)} calls · ! ${percent(errors / (calls || 1))}` : `${compact(calls)} calls`;
  return h(
    "svg:g",
    { class: `node ${kind}${errors ? " failed" : ""}`, transform: `translate(${x} ${y})`, onclick: open },
    h("svg:title", {}, `${name} (${kind})`),
    shapeOf(kind),
    h("svg:rect", { class: "node-colour", x: 11, y: 14 + down, width: 9, height: 9, rx: kind === "service" ? 2 : 4.5, style: { fill: kind === "service" ? colourOf(name) : "var(--muted)" } }),
    h("svg:text", { class: "node-name", x: 27, y: 23 + down }, name.length > 19 ? `${name.slice(0, 18)}…` : name),
    h("svg:text", { class: "node-calls", x: 11, y: 42 + down / 2 }, kind === "service" ? said : `${kind} · ${said}`),
  );
}

/**
 * Return the outline of a node: a box, the drum of a database, the dashed box of somebody else's.
 *
 * @param {string} kind
 */
function shapeOf(kind) {
  const { width, height } = BOX;
  if (kind !== "database") return h("svg:rect", { class: "node-box", width, height, rx: 7 });
  const body = `M0 6V${height - 6}C0 ${height + 2} ${width} ${height + 2} ${width} ${height - 6}V6C${width} -2 0 -2 0 6Z`;
  return [h("svg:path", { class: "node-box", d: body }), h("svg:path", { class: "node-rim", d: `M0 6C0 14 ${width} 14 ${width} 6` })];
}
