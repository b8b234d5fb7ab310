/** What traces are searched by. */

import { h } from "../dom.js";
import { ANY, attributesOf, LOOKBACK, offer, startOf } from "../parts/asking.js";
import { check, field, filters, input, LOOKBACKS, select, showQuery } from "../parts/fields.js";

/** @typedef {import("../route.js").Query} Query */

const LENGTH = { class: "length", title: "a duration: 250us, 100ms, 1.5s, 2m", "data-kind": "duration" };

/** @returns {HTMLFormElement} */
export function form() {
  const lookback = select("lookback", LOOKBACKS);
  lookback.dataset.default = String(LOOKBACK);
  return filters(
    "Search traces",
    field("Service", select("service", [ANY])),
    field("Operation", select("operation", [ANY])),
    field("Attributes", input("tags", { type: "search", placeholder: "http.response.status_code=500", "aria-keyshortcuts": "/" }), "wide"),
    field("Min", input("min", { ...LENGTH, placeholder: "100ms" })),
    field("Max", input("max", { ...LENGTH, placeholder: "1.5s" })),
    field("Time", lookback),
    check("errors", "Errors only"),
    h("button", { class: "button primary", type: "submit" }, "Search"),
  );
}

/**
 * Show a query, and offer the services and operations that there are now.
 *
 * @param {HTMLFormElement} node
 * @param {Query} query
 * @param {AbortSignal} signal
 */
export function showForm(node, query, signal) {
  showQuery(node, query);
  const operation = /** @type {HTMLSelectElement} */ (node.elements.namedItem("operation"));
  operation.disabled = !query.service;
  void offer(node, "service", "services", signal);
  if (query.service) void offer(node, "operation", `services/${encodeURIComponent(query.service)}/operations`, signal);
}

/**
 * Return the query as the console wants it.
 *
 * @param {Query} query
 * @returns {Record<string, any>}
 * @throws {import("../api.js").Fault} the attributes cannot be read
 */
export const readQuery = (query) => ({
  service: query.service,
  operation: query.service ? query.operation : undefined,
  tags: attributesOf(query.tags),
  minDuration: query.min,
  maxDuration: query.max,
  errors: query.errors === "1" ? "true" : undefined,
  start: startOf(query.lookback),
});
