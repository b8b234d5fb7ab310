/** The list of instruments, grouped by the first part of their names. */

import { fill, h } from "../dom.js";
import { count, counted } from "../format.js";
import { nothing } from "../parts/fault.js";
import { keepingFocus } from "../parts/rows.js";
import { breakable } from "../parts/value.js";
import { address, changed, go } from "../route.js";
import { unitName } from "./units.js";

/** @typedef {import("../contract.js").Instrument} Instrument */

/** Return the searchable list. */
export function instrumentList() {
  const find = h("input", { type: "search", name: "q", "aria-label": "Find an instrument", placeholder: "find by name or description", "aria-keyshortcuts": "/", autocomplete: "off", spellcheck: "false" });
  const said = h("p", { class: "muted", role: "status" });
  const groups = h("div", { class: "groups" });
  find.addEventListener("input", () => go(changed({ q: find.value }), { replace: true }));
  return {
    element: h("nav", { class: "instruments", "aria-label": "Instruments" }, h("div", { class: "find-form" }, find, said), groups),
    find,
    /**
     * @param {Instrument[]} instruments
     * @param {import("../route.js").Route} route
     */
    show(instruments, { item, query }) {
      if (find !== document.activeElement) find.value = query.q ?? "";
      const found = instruments.filter((instrument) => matches(instrument, query.q ?? ""));
      said.textContent = counted(found.length, "instrument");
      const kept = { q: query.q, service: query.service, lookback: query.lookback };
      keepingFocus(groups, () => fill(groups, grouped(found).map(([name, members]) => group(name, members, item, kept)), !found.length && none(instruments)));
    },
  };
}

/**
 * @param {Instrument} instrument
 * @param {string} wanted  words that all must be there
 */
function matches({ name, description, unit, services }, wanted) {
  const all = [name, description, unit, ...services].join(" ").toLowerCase();
  return wanted.toLowerCase().split(/\s+/).every((word) => all.includes(word));
}

/**
 * @param {Instrument[]} instruments
 * @returns {[string, Instrument[]][]}
 */
function grouped(instruments) {
  /** @type {Map<string, Instrument[]>} */
  const groups = new Map();
  for (const instrument of instruments.toSorted((one, other) => (one.name < other.name ? -1 : 1))) {
    const name = instrument.name.split(/[._]/)[0];
    groups.set(name, [...(groups.get(name) ?? []), instrument]);
  }
  return [...groups];
}

/**
 * @param {string} name
 * @param {Instrument[]} members
 * @param {string} chosen
 * @param {import("../route.js").Change} kept  of the query
 */
function group(name, members, chosen, kept) {
  return h("section", {}, h("h2", {}, name), h("ul", { class: "rows" }, members.map((instrument) => line(instrument, instrument.name === chosen, kept))));
}

/**
 * @param {Instrument} instrument
 * @param {boolean} chosen
 * @param {import("../route.js").Change} kept
 */
function line({ name, unit, description, kind, series, services }, chosen, kept) {
  return h(
    "li",
    {},
    h(
      "a",
      { class: "row instrument", href: address("metrics", name, kept), data: { row: name }, "aria-current": chosen ? "page" : null },
      h("span", { class: "instrument-name" }, breakable(name)),
      unitName(unit) && h("span", { class: "unit" }, unitName(unit)),
      h("span", { class: "description" }, description || "no description"),
      h("span", { class: "kind" }, kind.replaceAll("_", " ")),
      h("span", { class: "series" }, counted(series, "serie").replace(/serie$/, "series")),
      h("span", { class: "from" }, services.length > 2 ? `${count(services.length)} services` : services.join(", ")),
    ),
  );
}

/** @param {Instrument[]} instruments */
function none(instruments) {
  if (instruments.length) return nothing("No instrument matches", h("p", {}, "Names, units, descriptions and services are searched."));
  return nothing("No metrics yet", h("p", {}, "Services send metrics every few seconds; the first ones show up here by themselves."));
}
