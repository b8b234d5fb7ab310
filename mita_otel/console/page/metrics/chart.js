/** The chart of some series, with its legend and the exemplars on it. */

import { lineChart } from "../chart/lines.js";
import { colourAt } from "../colours.js";
import { h } from "../dom.js";
import { counted } from "../format.js";
import { go } from "../route.js";
import { isWanted, traceOf } from "./exemplars.js";
import { quantity } from "./units.js";

/** @typedef {import("../contract.js").Series} Series */
/** @typedef {import("../contract.js").Exemplar} Exemplar */

const DRAWN = 24; // series
const APART = 9; // px between two exemplars, of which the higher one is drawn

/**
 * @param {import("./asked.js").SeriesSet} set
 * @param {{window: [number, number], exemplars: Exemplar[], query: import("../route.js").Query, width: number}} about
 */
export function chartOf({ title, unit, series, values }, { window, exemplars, query, width }) {
  const known = series.filter(({ points }) => points.some(([, value]) => value !== null));
  const drawn = known.toSorted((one, other) => highest(other) - highest(one)).slice(0, DRAWN);
  const lines = drawn.map(({ labels, points }, place) => ({ name: nameOf(labels), points, colour: colourAt(place), dash: place % 3 }));
  const marks = values ? thinned(exemplars, window, width / APART, query).map((exemplar) => markOf(exemplar, unit, query)) : [];
  const show = (/** @type {number} */ value) => quantity(value, unit);
  const picture = lineChart({ label: `${title}, ${counted(known.length, "line")}`, lines, marks, window, show, binary: unit.startsWith("By"), width });
  return h(
    "figure",
    { class: "chart" },
    h("figcaption", {}, h("h3", {}, title), known.length > DRAWN && h("span", { class: "muted" }, `the highest ${DRAWN} of ${known.length}`), marks.length > 0 && h("span", { class: "muted" }, "◇ a value with its trace")),
    picture.element,
    legend(lines, show, picture.highlight),
  );
}

/**
 * Return the highest exemplar of each of so many parts of a window, and last those that somebody came from.
 *
 * @param {Exemplar[]} exemplars
 * @param {[number, number]} window
 * @param {number} parts
 * @param {import("../route.js").Query} query
 */
function thinned(exemplars, [start, end], parts, query) {
  /** @type {Map<number, Exemplar>} */
  const highest = new Map();
  for (const exemplar of exemplars) {
    const part = Math.floor(((exemplar.time - start) / (end - start)) * parts);
    if ((highest.get(part)?.value ?? -Infinity) < exemplar.value) highest.set(part, exemplar);
  }
  const came = exemplars.filter((exemplar) => isWanted(exemplar, query));
  return [...[...highest.values()].filter((exemplar) => !came.includes(exemplar)), ...came];
}

/**
 * @param {Exemplar} exemplar
 * @param {string} unit
 * @param {import("../route.js").Query} query
 */
const markOf = (exemplar, unit, query) => ({
  time: exemplar.time,
  value: exemplar.value,
  told: `${quantity(exemplar.value, unit)} · open trace ${exemplar.trace_id.slice(0, 8)}…`,
  came: isWanted(exemplar, query),
  open: () => go(traceOf(exemplar)),
});

/**
 * @param {import("../chart/lines.js").Line[]} lines
 * @param {(value: number) => string} show
 * @param {(place: number | null) => void} highlight
 */
function legend(lines, show, highlight) {
  const row = (/** @type {import("../chart/lines.js").Line} */ { name, points, colour, dash }, /** @type {number} */ place) => {
    const values = points.map(([, value]) => value).filter((value) => value !== null);
    const cells = [values.at(-1), Math.min(...values), Math.max(...values)].map((value) => h("td", { class: "number" }, value === undefined || !values.length ? "–" : show(value)));
    const key = h("span", { class: `key dash-${dash}`, "aria-hidden": "true", style: { "--hue": colour } });
    return h("tr", { onpointerenter: () => highlight(place), onpointerleave: () => highlight(null) }, h("th", { scope: "row" }, key, name), cells);
  };
  const heads = ["Line", "Last", "Lowest", "Highest"].map((name, place) => h("th", { scope: "col", class: place ? "number" : null }, name));
  return h("table", { class: "data legend-table" }, h("caption", { class: "unseen" }, "Values of the lines"), h("thead", {}, h("tr", {}, heads)), h("tbody", {}, lines.map(row)));
}

/** @param {Series} series */
const highest = ({ points }) => points.reduce((most, [, value]) => Math.max(most, value ?? 0), 0);

/**
 * Return the name of a series: its quantile as `p95`, its other labels by their values.
 *
 * @param {import("../contract.js").Labels} labels
 */
export function nameOf({ quantile, ...labels }) {
  const others = Object.values(labels).map((value) => value || "(none)");
  const share = quantile === undefined ? [] : [`p${Number((Number(quantile) * 100).toFixed(3))}`];
  return [...share, ...others].join(" ") || "all";
}
