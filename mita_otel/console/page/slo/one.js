/** One objective: what is left of its budget, how fast it goes, what to do about it, and what spent it. */

import { h } from "../dom.js";
import { count, counted, short } from "../format.js";
import { moment } from "../parts/moment.js";
import { silence, state, worded } from "../parts/state.js";
import { number, table } from "../parts/table.js";
import { facts } from "../parts/value.js";
import { budgetBar } from "./bar.js";
import { burnDown } from "./burn_down.js";
import { ledger } from "./ledger.js";
import { budgetText, burnRate, exhaustion } from "./list.js";
import { known, lasting, left, share } from "./words.js";

/** @typedef {import("../contract.js").Slo} Slo */
/** @typedef {import("../contract.js").SpendingAnswer} SpendingAnswer */

const WINDOWS = ["5m", "30m", "1h", "2h", "6h", "1d", "3d"];

/**
 * @param {SpendingAnswer} answer
 * @param {number} width  px
 */
export function objectivePage(answer, width) {
  const { objective: slo, told } = answer;
  return [
    h("div", { class: "tiles" }, budget(slo), indicator(slo, told), policy(slo), rates(slo)),
    burnDown(answer, width),
    ledger(answer),
  ];
}

/**
 * @param {string} title
 * @param {...import("../dom.js").Child} children
 */
const tile = (title, ...children) => h("section", { class: "tile" }, h("h2", {}, title), children);

/** @param {Slo} slo */
function budget(slo) {
  const { allowed_events: allowed, remaining_events: events, remaining_minutes: minutes } = slo.error_budget;
  return tile(
    "Error budget left",
    h("p", { class: "figure" }, budgetText(slo)),
    budgetBar(slo),
    facts([
      ["Bad events", allowed === null ? count(slo.bad) : `${count(slo.bad)} of ${short(allowed)} that may be`],
      ["May still come", events === null ? "–" : events < 0 ? `none: ${short(-events)} too many` : short(events)],
      ["As an outage", minutes === null ? "–" : minutes < 0 ? "none" : lasting(minutes * 60)],
      ["Exhausted in", [exhaustion(slo), Boolean(slo.countdown_seconds) && " at the last hour's burn"]],
    ]),
    slo.total > 0 && !slo.measurable && h("p", { class: "muted few" }, "Too few events to tell: a single bad one is more than a tenth of what may be."),
  );
}

/**
 * @param {Slo} slo
 * @param {SpendingAnswer["told"]} told
 */
function indicator(slo, told) {
  return tile(
    "SLI: kept of what is promised",
    h("p", { class: "figure" }, slo.sli === null ? h("span", { class: "muted" }, "no data") : slo.compliant === false ? h("span", { class: "errors" }, share(slo.sli)) : share(slo.sli)),
    facts([
      ["Promised", slo.objective === null ? "not told" : share(slo.objective)],
      ["Events", `${counted(slo.good, "good one")}, ${counted(slo.bad, "bad one")}`],
      ["Period", slo.period],
      ["Known of it", [known(slo.coverage), ", since ", moment(slo.since, 0)]],
      ["Told of all replicas", told ? [told.remaining === null ? "–" : `${left(told.remaining)} left`, told.sli !== null && `, ${share(told.sli)} good`, " at ", moment(told.time, 0)] : h("span", { class: "muted" }, "no: without a Prometheus or a Redis each process tells of itself")],
    ]),
    silence(slo.heard, [0, Date.now() * 1000]),
  );
}

/** @param {Slo} slo */
function policy(slo) {
  return tile(
    "What to do",
    h("p", { class: "figure" }, slo.policy_stage ? state(slo.policy_stage) : h("span", { class: "muted" }, "nothing is known")),
    slo.recommended_action && h("p", {}, h("strong", {}, sentence(slo.recommended_action))),
    h("ul", { class: "actions" }, slo.actions.map((action) => h("li", {}, action))),
    facts([
      ["Owner", slo.owner || "–"],
      ["Tier", slo.tier || "–"],
      ["Part", slo.part || "–"],
      ["Id", h("code", {}, slo.id)],
    ]),
  );
}

/** @param {Slo} slo */
function rates(slo) {
  const row = (/** @type {string} */ window) => {
    const alerts = slo.alerts.filter((alert) => alert.long === window);
    return [
      h("th", { scope: "row" }, window),
      number(burnRate(slo, window)),
      h("td", { class: "several" }, alerts.map(({ severity, factor, short: other, state: does }) => h("span", { class: "states" }, h("span", { class: "muted" }, `${severity} from ${short(factor)}×, with ${other}`), does === "quiet" ? null : does === "firing" ? state(severity, "fires") : h("span", { class: "muted" }, "too little is known")))),
    ];
  };
  return tile("Burn rate", h("p", { class: "muted" }, "At 1× the budget lasts its period."), table("Burn rates by window", ["Window", { number: "Burn" }, "Alert"], WINDOWS.map(row)));
}

/** @param {string} name */
function sentence(name) {
  const words = worded(name);
  return words.charAt(0).toUpperCase() + words.slice(1);
}
