/** Groups of errors: what they are, how often they occur, and the ways to their traces and log lines. */

import { h } from "../dom.js";
import { count } from "../format.js";
import { traceLink } from "../parts/history.js";
import { moment } from "../parts/moment.js";
import { writePairs } from "../parts/pairs.js";
import { service } from "../parts/service.js";
import { sparkline } from "../parts/sparkline.js";
import { state, worded } from "../parts/state.js";
import { cell, number, table } from "../parts/table.js";
import { copy, facts } from "../parts/value.js";
import { choice, keyOf } from "../parts/watching.js";
import { address } from "../route.js";

/** @typedef {import("../contract.js").ErrorsAnswer} ErrorsAnswer */
/** @typedef {import("../contract.js").ErrorGroup} ErrorGroup */

/** @param {ErrorGroup} group */
const keyOfGroup = ({ service: owner, fingerprint }) => keyOf("error", owner, fingerprint);

/** @param {ErrorGroup} group */
const linesOf = ({ service: owner, fingerprint }) => address("logs", "", { service: owner, attributes: writePairs({ "mita.error.fingerprint": fingerprint }), lookback: "86400" });

/**
 * @param {ErrorsAnswer} answer
 * @param {string} chosen
 */
export function groupTable(answer, chosen) {
  const row = (/** @type {ErrorGroup} */ group) => [
    h("th", { scope: "row" }, choice(keyOfGroup(group), chosen, group.type || group.fingerprint), service(group.service)),
    cell(group.code || "–"),
    cell(group.severity ? state(group.severity) : "–"),
    number(count(group.errors)),
    cell(sparkline("error", group.trend, answer)),
    cell(moment(group.first, 0)),
    cell(moment(group.last, 0)),
    cell(h("span", { class: "links" }, group.traces.length > 0 && traceLink(group.traces[0], "trace"), h("a", { href: linesOf(group) }, "log lines"))),
  ];
  return table("Groups of errors", ["Error", "Code", "Severity", { number: "Count" }, "Trend", "First", "Last", ""], answer.groups.map(row));
}

/**
 * @param {ErrorsAnswer} answer
 * @param {string} chosen
 * @returns {import("../parts/watching.js").Details | null}
 */
export function groupDetails(answer, chosen) {
  const group = answer.groups.find((one) => keyOfGroup(one) === chosen);
  if (!group) return null;
  const { fingerprint, traces, alerts } = group;
  return {
    heading: [h("span", { class: "heading-operation" }, group.type || "Errors"), service(group.service)],
    content: facts([
      ["Code", group.code || "–"],
      ["Severity", group.severity ? state(group.severity) : "–"],
      ["Category", worded(group.category)],
      ["Route", group.route || "–"],
      ["Count", count(group.errors)],
      ["Trend", sparkline("error", group.trend, answer)],
      ["First", moment(group.first)],
      ["Last", moment(group.last)],
      ["Alerts", alerts.length ? alerts.map((time, index) => [index > 0 && ", ", moment(time, 0)]) : "none"],
      ["Traces", traces.length ? h("span", { class: "links" }, traces.map((trace) => traceLink(trace, h("code", {}, trace.slice(0, 16))))) : "none"],
      ["Fingerprint", [h("code", {}, fingerprint), copy(fingerprint, "the fingerprint")]],
      ["More", h("a", { href: linesOf(group) }, "log lines")],
    ]),
  };
}
