/** Features that are served in full, from what is kept, in general, or not at all: now and before; and their flags. */

import { h } from "../dom.js";
import { count } from "../format.js";
import { history, strip } from "../parts/history.js";
import { moment } from "../parts/moment.js";
import { writePairs } from "../parts/pairs.js";
import { service } from "../parts/service.js";
import { badness, silence, states, worded, worst } from "../parts/state.js";
import { cell, number, table } from "../parts/table.js";
import { facts, section } from "../parts/value.js";
import { choice, keyOf } from "../parts/watching.js";
import { address } from "../route.js";

/** @typedef {import("../contract.js").Feature} Feature */
/** @typedef {import("../parts/watching.js").Span} Span */

/** @param {Feature} feature */
const keyOfFeature = ({ service: owner, name }) => keyOf("feature", owner, name);

/**
 * @param {Feature[]} features
 * @param {{span: Span, heard: Record<string, number>}} now
 * @param {string} chosen
 */
export function featureTable(features, { span, heard }, chosen) {
  const row = (/** @type {Feature} */ feature) => {
    const { name, changes, served } = feature;
    const { full = 0, ...less } = served;
    const reduced = Object.values(less).reduce((sum, number) => sum + number, 0);
    return [
      h("th", { scope: "row" }, choice(keyOfFeature(feature), chosen, name || "(no name)"), service(feature.service)),
      cell(states(feature.modes), silence(heard[feature.service], span)),
      cell(changes.length ? [moment(changes[0].time, 0), changes[0].reason !== "none" && h("span", { class: "muted" }, ` ${worded(changes[0].reason)}`)] : "–"),
      cell(strip(`History of ${name}`, changes, worst(feature.modes), span)),
      number(count(full)),
      number(reduced ? h("span", { class: "errors" }, count(reduced)) : "–"),
    ];
  };
  const worstFirst = features.toSorted((one, other) => badness(worst(other.modes)) - badness(worst(one.modes)));
  return table("Features", ["Feature", "Mode", "Since", "History", { number: "Served in full" }, { number: "With less" }], worstFirst.map(row));
}

/**
 * @param {Feature[]} features
 * @param {Span} span
 * @param {string} chosen
 * @returns {import("../parts/watching.js").Details | null}
 */
export function featureDetails(features, span, chosen) {
  const feature = features.find((one) => keyOfFeature(one) === chosen);
  if (!feature) return null;
  const { name, changes, served, modes } = feature;
  const told = { "event.name": "mita.degradation.change", "mita.degraded.feature": name };
  return {
    heading: [h("span", { class: "heading-operation" }, name), service(feature.service)],
    content: [
      facts([
        ["Mode", states(modes)],
        ["History", strip(`History of ${name}`, changes, worst(modes), span)],
        ["Served", listed(served) || "not once"],
        ["More", h("span", { class: "links" }, h("a", { href: address("logs", "", { service: feature.service, attributes: writePairs(told), lookback: "86400" }) }, "log lines"), h("a", { href: address("traces", "", { service: feature.service, tags: writePairs({ "mita.degraded.feature": name }), lookback: "86400" }) }, "traces with less"))],
      ]),
      section("Changes", history(`Changes of ${name}`, changes), { number: changes.length }),
    ],
  };
}

/** @param {import("../contract.js").Flag[]} flags */
export function flagTable(flags) {
  const row = (/** @type {import("../contract.js").Flag} */ { key, service: owner, variants, reasons }) => [h("th", { scope: "row" }, key || "(no key)", service(owner)), cell(listed(variants) || "–"), cell(listed(reasons) || "–")];
  return table("Feature flags", ["Flag", "Variants", "Reasons"], flags.map(row));
}

/**
 * Return how many there were of each, as text; empty if there were none.
 *
 * @param {import("../contract.js").Tally} tally
 */
const listed = (tally) =>
  Object.entries(tally)
    .filter(([, number]) => number > 0)
    .map(([name, number]) => `${worded(name)} ${count(number)}`)
    .join(", ");
