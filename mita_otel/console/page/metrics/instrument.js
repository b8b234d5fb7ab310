/** One instrument: what it measures, how it is shown, and its charts. */

import { get } from "../api.js";
import { fill, h } from "../dom.js";
import { attempt, nothing } from "../parts/fault.js";
import { ANY } from "../parts/asking.js";
import { field, filters, input, LOOKBACKS, select, setOptions, showQuery } from "../parts/fields.js";
import { liveButton } from "../parts/live_button.js";
import { listOf } from "../route.js";
import { askedFor, seriesSets, windowOf } from "./asked.js";
import { chartOf } from "./chart.js";
import { exemplarTable } from "./exemplars.js";
import { unitName } from "./units.js";

/** @typedef {import("../contract.js").Instrument} Instrument */
/** @typedef {import("../route.js").Route} Route */

/** @param {AbortSignal} signal */
export function instrumentView(signal) {
  /** @type {Route} */
  let route = { view: "metrics", item: "", query: {} };
  let asked = "";
  let abort = new AbortController();
  const heading = h("header", { class: "instrument-heading" });
  const live = liveButton("points");
  const form = controls();
  const quantile = /** @type {HTMLElement} */ (form.elements.namedItem("quantile"));
  const fault = h("div", { class: "slot" });
  const charts = h("div", { class: "charts" });
  const element = h("section", { class: "chart-side", "aria-label": "Instrument", hidden: true }, heading, h("div", { class: "bar" }, form, live.element), fault, charts);
  signal.addEventListener("abort", () => abort.abort());

  async function draw() {
    const { item, query } = route;
    const window = windowOf(query);
    const answer = await get(`console/metrics/${encodeURIComponent(item)}`, askedFor(query, window), abort.signal);
    const sets = seriesSets(answer);
    const exemplars = answer.exemplars;
    fill(
      charts,
      sets.map((set) => chartOf(set, { window, exemplars, query, width: charts.clientWidth })),
      !sets.length && nothing("No points", h("p", {}, "Nothing was recorded in this stretch of time with these filters.")),
      exemplars.length > 0 && exemplarTable(exemplars, sets[0]?.unit ?? answer.unit, query),
    );
  }

  async function load() {
    if (!route.item) return;
    await attempt(fault, draw, abort.signal);
  }

  const watch = new ResizeObserver(() => void (charts.firstChild && load()));
  watch.observe(element);
  signal.addEventListener("abort", () => watch.disconnect());

  return {
    element,
    load,
    flip: live.flip,
    get live() {
      return !live.paused && route.item !== "" && !route.query.at && !charts.querySelector("svg:hover") && !fault.firstChild;
    },
    /**
     * @param {Instrument[]} instruments
     * @param {Route} wanted
     */
    show(instruments, wanted) {
      route = wanted;
      element.hidden = !route.item;
      live.show(route.query);
      const named = instruments.filter((instrument) => instrument.name === route.item);
      showHeading(heading, route.item, named);
      offer(form, named);
      showQuery(form, route.query);
      const spread = named.some(({ kind }) => kind.includes("histogram"));
      /** @type {HTMLElement} */ (quantile.parentElement).hidden = !spread;
      const { q, live: _, ...rest } = route.query;
      const key = JSON.stringify([route.item, Object.entries(rest).sort()]);
      if (key === asked) return;
      asked = key;
      abort.abort();
      abort = new AbortController();
      fill(charts);
      void load();
    },
  };
}

/** @returns {HTMLFormElement} */
function controls() {
  const lookback = select("lookback", LOOKBACKS.slice(0, -1));
  lookback.dataset.default = "900";
  return filters(
    "Chart",
    field("Service", select("service", [ANY])),
    field("Group by", select("group_by", [["", "nothing"]])),
    field("Quantile", select("quantile", [["", "usual"], ["0.5", "p50"], ["0.9", "p90"], ["0.95", "p95"], ["0.99", "p99"], ["1", "highest"]])),
    field("Only", input("filter", { placeholder: "http.route=/api/x" }), "wide"),
    field("Time", lookback),
  );
}

/**
 * @param {HTMLFormElement} form
 * @param {Instrument[]} named  the instruments of one name
 */
function offer(form, named) {
  const pick = (/** @type {string} */ name) => /** @type {HTMLSelectElement} */ (form.elements.namedItem(name));
  const option = (/** @type {string} */ name) => /** @type {const} */ ([name, name]);
  const services = new Set(named.flatMap((instrument) => instrument.services));
  const keys = new Set(named.flatMap((instrument) => Object.keys(instrument.attributes)));
  if (services.size + 1 !== pick("service").options.length) setOptions(pick("service"), [ANY, ...[...services].sort().map(option)]);
  setOptions(pick("group_by"), [["", "nothing"], ...[...keys].sort().map(option)]);
}

/**
 * @param {Element} place
 * @param {string} name
 * @param {Instrument[]} named
 */
function showHeading(place, name, named) {
  const [instrument] = named;
  const about = instrument && [instrument.kind.replaceAll("_", " "), instrument.monotonic && "monotonic", unitName(instrument.unit) && `in ${unitName(instrument.unit)}`];
  fill(
    place,
    h("a", { class: "back", href: listOf("metrics"), title: "all instruments (Esc)" }, "← Metrics"),
    h("h2", {}, name),
    h("p", { class: "muted" }, instrument ? [instrument.description || "No description", " · ", about.filter(Boolean).join(", ")] : "not received yet"),
    named.length > 1 && h("p", { class: "muted" }, `${named.length} services disagree about its kind or unit.`),
  );
}
