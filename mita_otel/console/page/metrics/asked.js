/** From the address to what is asked about a metric, and from the answer to what is drawn. */

import { attributesOf } from "../parts/asking.js";
import { shownUnit } from "./units.js";

/** @typedef {import("../route.js").Query} Query */
/** @typedef {import("../contract.js").Series} Series */

/**
 * Series that share a chart.
 *
 * @typedef {{title: string, unit: string, series: Series[], values: boolean}} SeriesSet
 *   `values`: they are on the scale of what was recorded, as exemplars are
 */

const POINTS = 120; // about so many a chart
const STEPS = [5, 10, 15, 30, 60, 120, 300, 600, 1800]; // seconds

/**
 * Return the stretch of time that is shown, in µs: the last one, or the one around a moment that somebody came for.
 *
 * @param {Query} query
 * @returns {[number, number]}
 */
export function windowOf(query) {
  const length = Number(query.lookback ?? 900) * 1e6;
  const now = Date.now() * 1000;
  const at = Number(query.at);
  const end = at && at < now - length * 0.9 ? at + length / 2 : now;
  return [Math.round(end - length), Math.round(end)];
}

/**
 * @param {Query} query
 * @param {[number, number]} window
 */
export function askedFor(query, [start, end]) {
  const wanted = (end - start) / 1e6 / POINTS;
  const quantiles = query.quantile || (query.group_by ? "0.95" : "0.5,0.95,0.99"); // three lines a group are too many
  const step = (STEPS.find((seconds) => seconds >= wanted) ?? 3600) * 1e6;
  return { service: query.service, group_by: query.group_by, filter: attributesOf(query.filter), start, end, step, quantiles };
}

/**
 * Return the charts of an answer: quantiles apart from the rate at which was recorded.
 *
 * @param {import("../contract.js").MetricAnswer} answer
 * @returns {SeriesSet[]}
 */
export function seriesSets({ unit, kind, series, monotonic }) {
  const quantiles = series.filter(({ labels }) => "quantile" in labels);
  const others = series.filter(({ labels }) => !("quantile" in labels));
  const spread = kind.includes("histogram") || kind === "summary";
  const rate = spread || (kind === "sum" && monotonic !== false);
  const sets = [
    { title: "Quantiles", unit, series: quantiles, values: true },
    { title: spread ? "Recordings a second" : rate ? "Growth a second" : "Value", unit: shownUnit({ unit, kind, rate }), series: others, values: !rate },
  ];
  return sets.filter((set) => set.series.some(({ points }) => points.some(([, value]) => value !== null)));
}
