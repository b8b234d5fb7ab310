/** A service's level and readiness, and its checks. */

import { h } from "../dom.js";
import { count, duration } from "../format.js";
import { history, strip, traceLink } from "../parts/history.js";
import { writePairs } from "../parts/pairs.js";
import { service } from "../parts/service.js";
import { badness, silence, states, worst } from "../parts/state.js";
import { cell, number, table } from "../parts/table.js";
import { facts, section } from "../parts/value.js";
import { choice, keyOf } from "../parts/watching.js";
import { address } from "../route.js";

/** @typedef {import("../contract.js").ServiceHealth} ServiceHealth */
/** @typedef {import("../contract.js").Check} Check */
/** @typedef {import("../parts/watching.js").Span} Span */

/**
 * @param {ServiceHealth} one
 * @param {Span} span
 * @param {string} chosen
 */
export function serviceHealth({ name, heard, levels, ready, checks }, span, chosen) {
  const row = (/** @type {Check} */ check) => {
    const failing = lastTrace(check);
    return [
      h("th", { scope: "row" }, choice(keyOf("check", name, check.name), chosen, check.name)),
      cell(states(check.levels)),
      cell(strip(`History of ${check.name}`, check.changes, worst(check.levels), span)),
      number(check.response_ms === null ? "–" : duration(check.response_ms * 1e3)),
      number(check.failures ? h("span", { class: "errors" }, count(check.failures)) : "–"),
      cell(failing ? traceLink(failing, "last failing trace") : "–"),
    ];
  };
  const worstFirst = checks.toSorted((first, second) => badness(worst(second.levels)) - badness(worst(first.levels)));
  return h(
    "section",
    {},
    h("div", { class: "wellness" }, h("h2", {}, h("a", { href: address("services", name) }, service(name))), states(levels), Object.keys(ready).length > 0 && states(ready), silence(heard, span)),
    checks.length > 0 && table(`Checks of ${name}`, ["Check", "Level", "History", { number: "Response time" }, { number: "Failed looks" }, ""], worstFirst.map(row)),
  );
}

/**
 * @param {ServiceHealth[]} services
 * @param {Span} span
 * @param {string} chosen
 * @returns {import("../parts/watching.js").Details | null}
 */
export function checkDetails(services, span, chosen) {
  for (const { name, checks } of services) {
    const check = checks.find((one) => keyOf("check", name, one.name) === chosen);
    if (!check) continue;
    const { changes, levels, response_ms: took } = check;
    const failing = lastTrace(check);
    const told = { "event.name": "mita.health.change", "mita.health.check": check.name };
    return {
      heading: [h("span", { class: "heading-operation" }, check.name), service(name)],
      content: [
        facts([
          ["Level", states(levels)],
          ["History", strip(`History of ${check.name}`, changes, worst(levels), span)],
          ["Response time", took === null ? "–" : duration(took * 1e3)],
          ["Failed looks", count(check.failures)],
          ["Last failing trace", failing ? traceLink(failing, failing.slice(0, 16)) : "none"],
          ["More", h("a", { href: address("logs", "", { service: name, attributes: writePairs(told), lookback: "86400" }) }, "log lines")],
        ]),
        section("Changes", history(`Changes of ${check.name}`, changes), { number: changes.length }),
      ],
    };
  }
  return null;
}

/** @param {Check} check */
const lastTrace = ({ changes }) => changes.find((change) => change.trace_id)?.trace_id;
