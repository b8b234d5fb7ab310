/** What became of calls and requests: retries, rate limits, timeouts. */

import { h } from "../dom.js";
import { count, duration, percent, short } from "../format.js";
import { service } from "../parts/service.js";
import { states, worded } from "../parts/state.js";
import { cell, number, table } from "../parts/table.js";
import { facts } from "../parts/value.js";

/** @typedef {import("../contract.js").Tally} Tally */

/** What a state of the backend means. @type {Record<string, string>} */
const COUNTED = { up: "counted in Redis", down: "Redis does not answer", local: "each process counts by itself" };
const MUCH = 1.2; // attempts a call, from which on the budget is at work

/** @param {import("../contract.js").Retried[]} retries */
export function retryTable(retries) {
  const row = (/** @type {import("../contract.js").Retried} */ one) => [
    h("th", { scope: "row" }, one.dependency || "(no name)", service(one.service)),
    number(count(one.calls)),
    number(count(total(one.attempts))),
    number(amplification(one.amplification)),
    cell(parts(one.exhausted)),
    number(one.waited ? duration(one.waited * 1e6) : "–"),
    number(one.budget === null ? "–" : short(one.budget)),
  ];
  const heads = ["Dependency", { number: "Calls" }, { number: "Attempts" }, { number: "Attempts a call" }, "Given up", { number: "Time waited" }, { number: "Budget left" }];
  return table("Retries", heads, retries.toSorted((one, other) => (other.amplification ?? 0) - (one.amplification ?? 0)).map(row));
}

/** @param {number | null} value */
function amplification(value) {
  if (value === null) return "–";
  const said = value.toFixed(2);
  return value > MUCH ? h("span", { class: "errors" }, said) : said;
}

/**
 * @param {import("../contract.js").Limit[]} limits
 * @param {import("../contract.js").Backend[]} backends
 */
export function limitTable(limits, backends) {
  const row = (/** @type {import("../contract.js").Limit} */ { policy, requests, utilization, service: owner }) => {
    const fallback = (requests.fallback_allowed ?? 0) + (requests.fallback_blocked ?? 0);
    const blocked = (requests.blocked ?? 0) + (requests.fallback_blocked ?? 0);
    const all = total(requests);
    return [
      h("th", { scope: "row" }, policy || "(no name)", service(owner)),
      number(count(all - blocked)),
      number(blocked ? h("span", { class: "errors" }, `${count(blocked)}, ${percent(blocked / all)}`) : "–"),
      number(fallback ? count(fallback) : "–"),
      number(requests.error ? h("span", { class: "errors" }, count(requests.error)) : "–"),
      number(utilization === null ? "–" : percent(utilization)),
    ];
  };
  const heads = ["Policy", { number: "Allowed" }, { number: "Blocked" }, { number: "Without Redis" }, { number: "Faults" }, { number: "p95 of quota used" }];
  return [
    backends.length > 0 && h("div", { class: "backends" }, facts(backends.map(backend))),
    limits.length > 0 && table("Rate limits", heads, limits.toSorted((one, other) => total(other.requests) - total(one.requests)).map(row)),
  ];
}

/**
 * @param {import("../contract.js").Backend} backend
 * @returns {[string, import("../dom.js").Child]}
 */
const backend = ({ service: owner, states: found, replicas }) => [
  owner,
  [states(found, COUNTED), replicas !== null && h("span", { class: "muted" }, ` ${count(replicas)} process${replicas === 1 ? "" : "es"} known`)],
];

/** @param {import("../contract.js").Timeouts[]} timeouts */
export function timeoutTable(timeouts) {
  const scopes = [...new Set(timeouts.flatMap((one) => Object.keys(one.scopes)))].sort();
  const row = (/** @type {import("../contract.js").Timeouts} */ one) => [
    h("th", { scope: "row" }, service(one.service)),
    scopes.map((scope) => number(one.scopes[scope] ? h("span", { class: "errors" }, count(one.scopes[scope])) : "–")),
  ];
  return table("Timeouts", ["Service", ...scopes.map((scope) => ({ number: worded(scope) }))], timeouts.map(row));
}

/** @param {Tally} tally */
const total = (tally) => Object.values(tally).reduce((sum, item) => sum + item, 0);

/** @param {Tally} tally */
function parts(tally) {
  const found = Object.entries(tally).filter(([, item]) => item > 0);
  return found.length ? h("span", { class: "errors" }, found.map(([name, item]) => `${worded(name)} ${count(item)}`).join(", ")) : "–";
}
