/** Rates, errors and latencies as tables: of services, and of one service's routes. */

import { h } from "../dom.js";
import { count, duration, percent, rate } from "../format.js";
import { service } from "../parts/service.js";
import { table } from "../parts/table.js";
import { address } from "../route.js";

/** @typedef {import("../contract.js").ServiceRow} ServiceRow */
/** @typedef {import("../contract.js").Route} Operation */

const HEADS = ["Rate", "Errors", "p50", "p95", "p99"].map((number) => ({ number }));

/**
 * @param {ServiceRow[]} services
 * @param {string | undefined} window  kept on the way
 */
export function serviceTable(services, window) {
  const row = (/** @type {ServiceRow} */ one) => [
    h("th", { scope: "row" }, h("a", { href: address("services", one.name, { window }), data: { row: one.name } }, service(one.name))),
    numbers(one),
  ];
  const busiest = services.toSorted((one, other) => other.rate - one.rate);
  return table("Services", ["Service", ...HEADS], busiest.map(row));
}

/**
 * @param {string} title
 * @param {string} name  of the service
 * @param {Operation[]} routes
 */
export function routeTable(title, name, routes) {
  const row = (/** @type {Operation} */ one) => [
    h("th", { scope: "row" }, h("a", { href: address("traces", "", { service: name, operation: one.operation }), data: { row: one.operation }, title: "its traces" }, one.operation || "(no name)")),
    h("td", { class: "muted" }, one.kind.toLowerCase()),
    h("td", { class: "number" }, count(one.calls)),
    numbers(one),
    h("td", {}, one.errors > 0 && h("a", { class: "errors-link", href: address("traces", "", { service: name, operation: one.operation, errors: "1" }) }, "failed ones")),
  ];
  const busiest = routes.toSorted((one, other) => other.calls - one.calls);
  return h("section", {}, h("h2", {}, title), table(title, ["Operation", "Kind", { number: "Calls" }, ...HEADS, ""], busiest.map(row)));
}

/** @param {{rate: number, error_rate: number, p50: number | null, p95: number | null, p99: number | null}} row */
const numbers = ({ rate: perSecond, error_rate, p50, p95, p99 }) => [
  h("td", { class: "number" }, rate(perSecond)),
  h("td", { class: "number" }, error_rate > 0 ? h("span", { class: "errors" }, h("span", { class: "glyph", "aria-hidden": "true" }, "!"), percent(error_rate)) : "–"),
  [p50, p95, p99].map((value) => h("td", { class: "number" }, duration(value))),
];
