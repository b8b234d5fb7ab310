/** SLO: the objectives of services and what is left of their budgets; one of them with its burn-down and its ledger. */

import { get } from "../api.js";
import { fill, h } from "../dom.js";
import { bind } from "../keys.js";
import { every } from "../live.js";
import { ANY, offer } from "../parts/asking.js";
import { attempt } from "../parts/fault.js";
import { field, filters, select, setOptions, showQuery } from "../parts/fields.js";
import { liveButton } from "../parts/live_button.js";
import { keepingFocus, walk } from "../parts/rows.js";
import { service } from "../parts/service.js";
import { state } from "../parts/state.js";
import { go, listOf } from "../route.js";
import { objectiveList } from "./list.js";
import { objectivePage } from "./one.js";

const LOOK = 5000; // ms
const EDGE = 16; // px beside the content
const FILTERS = /** @type {const} */ (["service", "tier", "owner", "part", "state"]);
const STATES = /** @type {const} */ ([ANY, ["exhausted", "exhausted"], ["at_risk", "at risk"], ["ok", "ok"], ["no_data", "no data"], ["invalid", "invalid"]]);

/** @typedef {import("../route.js").Route} Route */

/** @type {import("../views.js").Open} */
export function openSlo(place, route, signal) {
  let current = route;
  const choices = { tier: select("tier", [ANY]), owner: select("owner", [ANY]), part: select("part", [ANY]) };
  const form = filters("Objectives", field("Service", select("service", [ANY]), "wide narrow"), field("Tier", choices.tier), field("Owner", choices.owner), field("Part", choices.part), field("State", select("state", STATES)));
  const live = liveButton("figures");
  const heading = h("header", { class: "service-heading" });
  const fault = h("div", { class: "slot" });
  const content = h("div", { class: "service-content" });
  fill(place, h("div", { class: "bar spread" }, heading, form, live.element), fault, content);

  async function load() {
    const wanted = current;
    const parts = wanted.item ? await one(wanted) : await all(wanted);
    if (wanted === current) keepingFocus(content, () => fill(content, parts));
  }

  /** @param {Route} wanted */
  async function all({ query }) {
    const asked = Object.fromEntries(FILTERS.map((name) => [name, query[name]]));
    const answer = await get("console/slos", asked, signal);
    for (const name of /** @type {const} */ (["tier", "owner", "part"])) offerThese(choices[name], answer[`${name}s`]);
    return objectiveList(answer, FILTERS.some((name) => query[name]));
  }

  /** @param {Route} wanted */
  async function one({ item }) {
    const [owner, id] = item.split("/").map(decodeURIComponent);
    const answer = await get(`console/slos/${encodeURIComponent(id ?? "")}`, { service: owner }, signal);
    const { title, state: stands } = answer.objective;
    fill(/** @type {Element} */ (heading.querySelector("h1")), title);
    fill(/** @type {Element} */ (heading.querySelector(".states")), service(owner), state(stands));
    return objectivePage(answer, place.clientWidth - 2 * EDGE);
  }

  const start = () => void attempt(fault, load, signal);
  const isRead = () => content.querySelector("svg:hover, .chart-reader:focus-within");

  /** @param {Route} route */
  function update(route) {
    if (current.item !== route.item) fill(content);
    current = route;
    form.hidden = Boolean(route.item);
    fill(heading, route.item && back(), h("h1", { tabIndex: -1 }, route.item ? "Objective" : "Objectives"), route.item && h("span", { class: "states" }));
    showQuery(form, route.query);
    if (!route.item) void offer(form, "service", "services", signal);
    live.show(route.query);
    start();
  }

  walk(content, signal);
  bind({ r: start, p: live.flip, Escape: () => (current.item ? go(listOf("slo")) : false) }, signal);
  void every(LOOK, async () => live.paused || fault.firstChild || isRead() || load(), signal);
  update(route);
  return { update };
}

/**
 * Offer values that were answered; what is offered already stays, for the list may be open.
 *
 * @param {HTMLSelectElement} node
 * @param {string[]} values
 */
function offerThese(node, values) {
  const offered = [...node.options].map((option) => option.value);
  if (values.every((value) => offered.includes(value))) return;
  setOptions(node, [ANY, ...values.map((value) => /** @type {const} */ ([value, value]))]);
}

const back = () => h("a", { class: "back", href: listOf("slo"), title: "all objectives (Esc)" }, "← SLO");
