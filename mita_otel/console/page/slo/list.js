/** All objectives: how many stand how, and a table of them, the worst first. */

import { h } from "../dom.js";
import { counted } from "../format.js";
import { nothing } from "../parts/fault.js";
import { service } from "../parts/service.js";
import { silence, state, states, worded } from "../parts/state.js";
import { cell, number, table } from "../parts/table.js";
import { keyOf } from "../parts/watching.js";
import { address } from "../route.js";
import { budgetBar, trendLine } from "./bar.js";
import { burn, known, lasting, left, share } from "./words.js";

/** @typedef {import("../contract.js").Slo} Slo */
/** @typedef {import("../contract.js").SloAnswer} SloAnswer */

const LITTLE = 0.9; // share of a period, below which it is said that the rest is not known
const BURNS = /** @type {const} */ (["1h", "6h", "3d"]);
const HEADS = ["Objective", "Budget left", "State", "SLI", ...BURNS.map((window) => ({ number: `Burn ${window}` })), { number: "Exhausted in" }, "Burn-down", { number: "Known" }];

const EXAMPLE = `MITA_SLO_FILE=slo.yaml opentelemetry-instrument uvicorn app.main:app`;

/**
 * @param {SloAnswer} answer
 * @param {boolean} filtered
 */
export function objectiveList({ objectives, left_out: beyond }, filtered) {
  if (!objectives.length) return filtered ? nothing("No such objectives", h("p", {}, "None stands like this, or none is of these.")) : none();
  /** @type {import("../contract.js").Tally} */
  const tally = {};
  for (const { state: name } of objectives) tally[name] = (tally[name] ?? 0) + 1;
  const least = Math.min(...objectives.map(({ coverage }) => coverage));
  return [
    h("p", { class: "slo-sum" }, h("strong", {}, counted(objectives.length, "objective")), states(tally)),
    least < LITTLE && h("p", { class: "muted" }, "What is known of each period is in the last column: the console keeps hours, and budgets are of weeks. What is shown is reckoned of what is known."),
    h("div", { class: "slo-list" }, table("Objectives", HEADS, objectives.map(row))),
    beyond > 0 && h("p", { class: "muted" }, `and ${counted(beyond, "objective")} more, which stand better`),
  ];
}

/** @param {Slo} slo */
function row(slo) {
  const key = keyOf(slo.service, slo.id);
  const alerts = slo.alerts.filter((alert) => alert.state === "firing").map((alert) => alert.severity);
  return [
    h("th", { scope: "row" }, h("a", { href: address("slo", key), data: { row: key } }, slo.title), about(slo)),
    cell(h("div", { class: "budget-cell" }, budgetBar(slo), budgetText(slo)), slo.total > 0 && !slo.measurable && h("div", { class: "muted" }, "too few events to tell")),
    cell(h("span", { class: "states" }, state(slo.state), alerts.length > 0 && state(alerts.includes("page") ? "page" : "ticket")), h("div", { class: "muted" }, slo.policy_stage && slo.policy_stage !== slo.state && worded(slo.policy_stage), silence(slo.heard, [0, Date.now() * 1000]))),
    cell(share(slo.sli), h("div", { class: "muted" }, slo.objective === null ? "of an objective that is not told" : `of ${share(slo.objective)}`)),
    BURNS.map((window) => number(burnRate(slo, window))),
    number(exhaustion(slo)),
    cell(trendLine(slo)),
    number(known(slo.coverage)),
  ];
}

/** @param {Slo} slo */
const about = ({ service: name, tier, owner, period }) => h("div", { class: "slo-about" }, service(name), [tier && `tier ${tier}`, owner, period].filter(Boolean).join(" · "));

/** @param {Slo} slo */
export const budgetText = ({ error_budget: { remaining_ratio: remaining } }) => h("span", { class: remaining === null ? "muted" : remaining <= 0 ? "errors" : "budget-left" }, left(remaining));

/**
 * Return when a budget will be spent up at the last hour's burn, if it will within a period.
 *
 * @param {Slo} slo
 */
export function exhaustion({ countdown_seconds: seconds, period, period_seconds: whole }) {
  if (seconds === 0) return h("span", { class: "errors" }, "spent");
  return seconds !== null && seconds > whole ? `> ${period}` : lasting(seconds);
}

/**
 * Return the burn rate of a window, marked where an alert on it fires.
 *
 * @param {Slo} slo
 * @param {string} window
 */
export function burnRate({ burn_rate: rates, alerts }, window) {
  const fires = alerts.some((alert) => alert.state === "firing" && [alert.long, alert.short].includes(window));
  return fires ? h("span", { class: "errors" }, burn(rates[window])) : burn(rates[window]);
}

const none = () =>
  nothing(
    "No objectives yet",
    h("p", {}, "What a service promises is in an OpenSLO file; what it kept of that shows up here with its next metrics:"),
    h("pre", { tabindex: "0" }, EXAMPLE),
    h("p", {}, "Metrics come every OTEL_METRIC_EXPORT_INTERVAL, a minute unless that is set."),
  );
