/** Exemplars as a table: the way from a value to the trace that it was recorded in. */

import { h } from "../dom.js";
import { moment } from "../parts/moment.js";
import { section } from "../parts/value.js";
import { writePairs } from "../parts/pairs.js";
import { address } from "../route.js";
import { quantity } from "./units.js";

/** @typedef {import("../contract.js").Exemplar} Exemplar */

const SHOWN = 30;

/** @param {Exemplar} exemplar */
export const traceOf = (exemplar) => address("traces", exemplar.trace_id, { span: exemplar.span_id });

/**
 * Return whether it is the one that somebody came from.
 *
 * @param {Exemplar} exemplar
 * @param {import("../route.js").Query} query
 */
export const isWanted = (exemplar, { trace, span }) => exemplar.trace_id === trace && (!span || exemplar.span_id === span);

/**
 * @param {Exemplar[]} exemplars
 * @param {string} unit
 * @param {import("../route.js").Query} query  names the one that somebody came from
 */
export function exemplarTable(exemplars, unit, query) {
  const newest = exemplars.toSorted((one, other) => other.time - one.time);
  const came = newest.filter((exemplar) => isWanted(exemplar, query));
  const shown = [...came, ...newest.filter((exemplar) => !came.includes(exemplar))].slice(0, SHOWN);
  const row = (/** @type {Exemplar} */ exemplar) =>
    h(
      "tr",
      { class: isWanted(exemplar, query) ? "came" : null },
      h("td", {}, moment(exemplar.time)),
      h("td", { class: "number" }, quantity(exemplar.value, unit)),
      h("td", {}, h("a", { href: traceOf(exemplar) }, h("code", {}, exemplar.trace_id.slice(0, 16), "…"))),
      h("td", { class: "wide" }, writePairs(exemplar.labels)),
    );
  const heads = ["Time", "Value", "Trace", "Attributes"].map((name) => h("th", { scope: "col" }, name));
  const table = h("table", { class: "data" }, h("caption", { class: "unseen" }, "Exemplars"), h("thead", {}, h("tr", {}, heads)), h("tbody", {}, shown.map(row)));
  return section("Exemplars: values with the traces they were recorded in", h("div", { class: "wide-table", tabindex: "0", role: "group", "aria-label": "Exemplars" }, table), { number: exemplars.length });
}
