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
    drawn.edges.map((edge) => edgeElement(edge, most)),
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
 */
function edgeElement(edge, most) {
  const failed = edge.errors > 0;
  const path = route(edge.points);
  const place = labelPlace(edge.points);
  const weight = 1 + 2.5 * (Math.log1p(edge.calls) / Math.log1p(most));
  const label = failed ? `${compact(edge.calls)} · ! ${percent(edge.errors / edge.calls)}` : compact(edge.calls);
  return h(
    "svg:g",
    { class: failed ? "edge failed" : "edge", onpointermove: (/** @type {PointerEvent} */ event) => showTip(event, told(edge)), onpointerleave: hideTip },
    h("svg:path", { class: "edge-hit", d: path }),
    h("svg:path", { class: "edge-line", d: path, "stroke-width": weight.toFixed(1), "marker-end": `url(#${failed ? "arrow-failed" : "arrow"})` }),
    h("svg:text", { x: place.x, y: place.y, "text-anchor": "middle" }, label),
  );
}

/**
 * Return a smooth path from the right side of the first box, through the stations, to the left side of the last.
 *
 * @param {Place[]} points  upper left corners
 */
function route(points) {
  const middle = (/** @type {Place} */ { y }) => y + BOX.height / 2;
  let path = "";
  for (let index = 1; index < points.length; index++) {
    const [from, to] = [points[index - 1], points[index]];
    const [x1, x2] = [from.x + BOX.width, to.x];
    const bend = Math.max(Math.abs(x2 - x1) / 2, 40);
    path += `${index === 1 ? "M" : "L"}${x1} ${middle(from)}C${x1 + bend} ${middle(from)} ${x2 - bend} ${middle(to)} ${x2} ${middle(to)}`;
  }
  return path;
}

/**
 * Return where the label of a line stands: near the callee, where lines that leave the same node have parted.
 *
 * @param {Place[]} points
 */
function labelPlace(points) {
  const [from, to] = points.slice(-2);
  const slope = Math.sign(from.y - to.y);
  return { x: to.x - 34, y: to.y + BOX.height / 2 + (slope > 0 ? 14 : -6) };
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
