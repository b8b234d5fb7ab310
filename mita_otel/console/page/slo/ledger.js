/** What spent a budget: the biggest contributors of each dimension, with their share and traces to look at. */

import { h } from "../dom.js";
import { count, percent, short } from "../format.js";
import { traceLink } from "../parts/history.js";
import { writePairs } from "../parts/pairs.js";
import { cell, number, table } from "../parts/table.js";
import { address } from "../route.js";

/** @typedef {import("../contract.js").SpendingAnswer} SpendingAnswer */
/** @typedef {import("../contract.js").Dimension} Dimension */
/** @typedef {import("../contract.js").Contributor} Contributor */

const TITLES = /** @type {Record<string, string>} */ ({ route: "Routes", error_type: "Types of errors", dependency: "Dependencies", version: "Versions", flag: "Flags" });
const NAMES = /** @type {Record<string, string>} */ ({ none: "(none)", other: "(others)", "": "(no name)" });
const WIDTH = 90; // px of a share of all

/** @param {SpendingAnswer} answer */
export function ledger({ ledger: dimensions, objective }) {
  const otherwise = objective.bad > 0 ? "Nothing is told yet of what its bad events have in common: that comes a collection of metrics later." : "Nothing was spent of what is known.";
  return h("section", {}, h("h2", {}, "What spent it"), dimensions.length ? h("div", { class: "ledger" }, dimensions.map((dimension) => part(dimension, objective.service))) : h("p", { class: "muted" }, otherwise));
}

/**
 * @param {Dimension} dimension
 * @param {string} service
 */
function part({ dimension, contributors, left_out: beyond }, service) {
  const title = TITLES[dimension] ?? dimension;
  return h(
    "section",
    { class: "tile" },
    h("h3", {}, title),
    table(title, ["Contributor", "Share", { number: "Bad events" }, { number: "Of the budget" }, "Traces"], contributors.map((one) => row(one, dimension, service))),
    beyond > 0 && h("p", { class: "muted" }, `and ${count(beyond)} more`),
  );
}

/**
 * @param {Contributor} contributor
 * @param {string} dimension
 * @param {string} service
 */
function row({ contributor, bad, share, spent_ratio: spent, traces }, dimension, service) {
  const name = NAMES[contributor];
  const search = dimension === "route" && !name && address("traces", "", { service, tags: writePairs({ "http.route": contributor }), lookback: "86400" });
  return [
    h("th", { scope: "row", class: "wide" }, search ? h("a", { href: search, title: "all of its traces" }, contributor) : (name ?? contributor)),
    cell(h("span", { class: "share" }, shareBar(share ?? 0), percent(share ?? 0))),
    number(count(bad)),
    number(spent === null ? "–" : `${short(spent * 100)} %`),
    h("td", { class: "several" }, traces.length ? traces.map(({ trace_id: id }) => traceLink(id, h("code", {}, id.slice(0, 8)))) : h("span", { class: "muted" }, "none here")),
  ];
}

/** @param {number} share */
const shareBar = (share) => h("svg:svg", { class: "share-bar", width: WIDTH, height: 10, "aria-hidden": "true" }, h("svg:rect", { class: "budget-ground", width: WIDTH, height: 10, rx: 2 }), h("svg:rect", { class: "was bad", width: Math.max(share * WIDTH, 1.5), height: 10 }));
