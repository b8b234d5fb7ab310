/** The list of traces found. */

import { spread } from "../chart/scale.js";
import { fill, h } from "../dom.js";
import { count, counted, duration } from "../format.js";
import { nothing } from "../parts/fault.js";
import { moment } from "../parts/moment.js";
import { keepingFocus } from "../parts/rows.js";
import { service, swatch } from "../parts/service.js";
import { address } from "../route.js";

/** @typedef {import("../contract.js").TraceSummary} TraceSummary */

export const SORTS = /** @type {const} */ ([
  ["newest", "newest"],
  ["longest", "longest"],
  ["largest", "most spans"],
  ["errors", "most errors"],
]);

const SERVICES = 3; // named in a line, the others counted

/**
 * @param {HTMLElement} list
 * @param {TraceSummary[]} traces
 */
export function rows(list, traces) {
  const share = spread(traces.map((trace) => trace.duration), [0, 1]).place;
  keepingFocus(list, () => fill(list, traces.map((trace) => row(trace, share(trace.duration)))));
}

/**
 * @param {TraceSummary} trace
 * @param {number} share  of the gauge that it fills
 */
function row(trace, share) {
  const width = `${Math.max(share * 100, 1).toFixed(1)}%`;
  return h(
    "li",
    {},
    h(
      "a",
      { class: trace.errors ? "row failed" : "row", href: address("traces", trace.traceID), data: { row: trace.traceID } },
      h("span", { class: "what" }, h("span", { class: "operation" }, trace.operation || "(no name)"), service(trace.service)),
      h("span", { class: "services" }, trace.services.length > 1 && services(trace)),
      h("span", { class: "size" }, counted(trace.spans, "span"), trace.errors > 0 && errors(trace.errors)),
      h("span", { class: "length" }, h("span", { class: "gauge", "aria-hidden": "true" }, h("span", { style: { width } })), duration(trace.duration)),
      h("span", { class: "when" }, moment(trace.start)),
    ),
  );
}

/** @param {number} number */
const errors = (number) => h("span", { class: "errors" }, h("span", { class: "glyph", "aria-hidden": "true" }, "!"), counted(number, "error"));

/** @param {TraceSummary} trace */
function services({ services }) {
  const hidden = services.length - SERVICES;
  const shown = services.slice(0, SERVICES).map(({ name, spans }) => h("span", { class: "service chip" }, swatch(name), name, " ", h("b", {}, count(spans))));
  return [shown, hidden > 0 && h("span", { class: "muted" }, `+${hidden}`)];
}

/**
 * Return what is said when nothing was found.
 *
 * @param {import("../route.js").Query} query
 */
export function empty({ sort, live, lookback, ...filters }) {
  if (Object.keys(filters).length) return nothing("No trace matches", h("p", {}, "Take a filter away, or look further back."));
  return nothing(
    "No traces yet",
    h("p", {}, "Send OTLP here, for example from a service instrumented by mita_otel:"),
    h("pre", {}, `OTEL_EXPORTER_OTLP_ENDPOINT=${location.origin} opentelemetry-instrument uvicorn app.main:app`),
    h("p", {}, "New traces show up by themselves."),
  );
}
