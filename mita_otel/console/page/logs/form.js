/** What log lines are searched by. */

import { h } from "../dom.js";
import { ANY, attributesOf, LOOKBACK, offer, startOf } from "../parts/asking.js";
import { field, filters, input, LOOKBACKS, select, showQuery } from "../parts/fields.js";
import { LEVELS } from "./severity.js";

/** @typedef {import("../route.js").Query} Query */

/** @returns {HTMLFormElement} */
export function form() {
  const lookback = select("lookback", LOOKBACKS);
  lookback.dataset.default = String(LOOKBACK);
  return filters(
    "Search log lines",
    field("Text", input("text", { type: "search", placeholder: "words of the message, begin* for beginnings", "aria-keyshortcuts": "/" }), "wide"),
    field("Level at least", select("severity", LEVELS)),
    field("Service", select("service", [ANY])),
    field("Trace", input("trace_id", { placeholder: "32 hexadecimal digits", class: "code" })),
    field("Attributes", input("attributes", { placeholder: "key=value" })),
    field("Time", lookback),
    h("button", { class: "button primary", type: "submit" }, "Search"),
  );
}

/**
 * Show a query, and offer the services that there are now.
 *
 * @param {HTMLFormElement} node
 * @param {Query} query
 * @param {AbortSignal} signal
 */
export function showForm(node, query, signal) {
  showQuery(node, query);
  void offer(node, "service", "services", signal);
}

/**
 * Return the query as the console wants it.
 *
 * @param {Query} query
 * @returns {Record<string, any>}
 * @throws {import("../api.js").Fault} the attributes cannot be read
 */
export const readQuery = (query) => ({
  text: query.text,
  severity: query.severity,
  service: query.service,
  trace_id: query.trace_id,
  span_id: query.span_id,
  attributes: attributesOf(query.attributes),
  start: startOf(query.lookback),
});
