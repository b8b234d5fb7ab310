/** Circuit breakers: what state each is in, what became of its calls, and how it came to that. */

import { h } from "../dom.js";
import { count, duration, percent } from "../format.js";
import { history, strip } from "../parts/history.js";
import { service } from "../parts/service.js";
import { badness, silence, states, worded, worst } from "../parts/state.js";
import { cell, number, table } from "../parts/table.js";
import { writePairs } from "../parts/pairs.js";
import { facts, section } from "../parts/value.js";
import { choice, keyOf } from "../parts/watching.js";
import { address } from "../route.js";

/** @typedef {import("../contract.js").Breaker} Breaker */
/** @typedef {import("../parts/watching.js").Span} Span */

const FAILED = ["failure", "slow_failure"];

/** @param {Breaker} breaker */
const keyOfBreaker = ({ service: owner, name }) => keyOf("breaker", owner, name);

/**
 * @param {Breaker[]} breakers
 * @param {{span: Span, heard: Record<string, number>}} now
 * @param {string} chosen
 */
export function breakerTable(breakers, { span, heard }, chosen) {
  const row = (/** @type {Breaker} */ breaker) => {
    const { name, calls, seconds, would_reject: observed } = breaker;
    const [all, failed, rejected] = [made(calls), sum(calls, FAILED), calls.rejected ?? 0];
    return [
      h("th", { scope: "row" }, choice(keyOfBreaker(breaker), chosen, name || "(no name)"), service(breaker.service)),
      cell(states(breaker.states), silence(heard[breaker.service], span)),
      cell(strip(`History of ${name}`, breaker.changes, worst(breaker.states), span)),
      number(count(all)),
      number(failed && all ? h("span", { class: "errors" }, percent(failed / all)) : "–"),
      number(rejected ? h("span", { class: "errors" }, count(rejected)) : observed ? `would be ${count(observed)}` : "–"),
      number(open(seconds) ? duration(open(seconds) * 1e6) : "–"),
    ];
  };
  const worstFirst = breakers.toSorted((one, other) => badness(worst(other.states)) - badness(worst(one.states)));
  return table("Circuit breakers", ["Breaker", "State", "History", { number: "Calls" }, { number: "Failed" }, { number: "Rejected" }, { number: "Time open" }], worstFirst.map(row));
}

/**
 * @param {Breaker[]} breakers
 * @param {Span} span
 * @param {string} chosen
 * @returns {import("../parts/watching.js").Details | null}
 */
export function breakerDetails(breakers, span, chosen) {
  const breaker = breakers.find((one) => keyOfBreaker(one) === chosen);
  if (!breaker) return null;
  const { name, calls, seconds, changes } = breaker;
  const told = { "event.name": "mita.circuit_breaker.state_change", "circuit_breaker.name": name };
  const outcomes = Object.entries(calls).filter(([, number]) => number > 0);
  const times = Object.entries(seconds).filter(([, spent]) => spent > 0);
  return {
    heading: [h("span", { class: "heading-operation" }, name), service(breaker.service)],
    content: [
      facts([
        ["State", states(breaker.states)],
        ["History", strip(`History of ${name}`, changes, worst(breaker.states), span)],
        ["Calls", outcomes.map(([outcome, number]) => `${worded(outcome)} ${count(number)}`).join(", ") || "none"],
        ["Time", times.map(([name_, spent]) => `${worded(name_)} ${duration(spent * 1e6)}`).join(", ") || "–"],
        ["More", h("span", { class: "links" }, h("a", { href: address("logs", "", { service: breaker.service, attributes: writePairs(told), lookback: "86400" }) }, "log lines"), h("a", { href: address("traces", "", { service: breaker.service, tags: writePairs({ "circuit_breaker.name": name }), lookback: "86400" }) }, "its traces"))],
      ]),
      section("Changes", history(`Changes of ${name}`, changes), { number: changes.length }),
    ],
  };
}

/**
 * @param {import("../contract.js").Tally} tally
 * @param {string[]} keys
 */
const sum = (tally, keys) => keys.reduce((total, key) => total + (tally[key] ?? 0), 0);

/** Calls that were let through. @param {import("../contract.js").Tally} calls */
const made = ({ rejected, ...others }) => sum(others, Object.keys(others));

/** @param {import("../contract.js").Tally} seconds */
const open = (seconds) => sum(seconds, ["open", "forced_open"]);
