/** Services: their map and their rates, errors and latencies; one service with its routes and its last minutes. */

import { get } from "../api.js";
import { fill, h } from "../dom.js";
import { bind } from "../keys.js";
import { every } from "../live.js";
import { attempt, nothing } from "../parts/fault.js";
import { field, filters, select, showQuery } from "../parts/fields.js";
import { liveButton } from "../parts/live_button.js";
import { keepingFocus, walk } from "../parts/rows.js";
import { service } from "../parts/service.js";
import { OFFERED, secondsOf } from "../parts/windows.js";
import { address, go, listOf } from "../route.js";
import { serviceMap } from "./map.js";
import { routeTable, serviceTable } from "./table.js";
import { timelines } from "./timeline.js";

const LOOK = 5000; // ms
const EDGE = 16; // px beside the content

const USUAL = "15m";
const ENTRIES = new Set(["server", "consumer"]); // kinds of spans by which work comes in

/** @typedef {import("../contract.js").Route} Operation */

/** @type {import("../views.js").Open} */
export function openServices(place, route, signal) {
  let current = route;
  const window = select("window", OFFERED);
  window.dataset.default = USUAL;
  const form = filters("Services", field("Time", window));
  const live = liveButton("figures");
  const heading = h("header", { class: "service-heading" });
  const fault = h("div", { class: "slot" });
  const content = h("div", { class: "service-content" });
  fill(place, h("div", { class: "bar spread" }, heading, form, live.element), fault, content);

  const chosen = () => current.query.window ?? USUAL;

  async function load() {
    const { item } = current;
    const parts = item ? await one(item, chosen(), place.clientWidth - 2 * EDGE, signal) : await all(chosen(), signal);
    if (item === current.item) keepingFocus(content, () => fill(content, parts));
  }

  const start = () => void attempt(fault, load, signal);

  /** @param {import("../route.js").Route} route */
  function update(route) {
    if (current.item !== route.item) fill(content);
    current = route;
    const { item } = route;
    const back = h("a", { class: "back", href: listOf("services"), title: "all services (Esc)" }, "← Services");
    const links = [h("a", { href: address("traces", "", { service: item }) }, "traces"), h("a", { href: address("logs", "", { service: item }) }, "log lines"), h("a", { href: address("metrics", "", { q: item }) }, "metrics")];
    fill(heading, item ? [back, h("h1", { tabIndex: -1 }, service(item)), h("nav", { "aria-label": "Of this service", class: "links" }, links)] : h("h1", { tabIndex: -1 }, "Services"));
    showQuery(form, route.query);
    live.show(route.query);
    start();
  }

  walk(content, signal);
  bind({ r: start, p: live.flip, Escape: () => (current.item ? go(listOf("services")) : false) }, signal);
  void every(LOOK, async () => live.paused || fault.firstChild || content.querySelector("svg:hover") || load(), signal);
  update(route);
  return { update };
}

/**
 * @param {string} window
 * @param {AbortSignal} signal
 */
async function all(window, signal) {
  const [{ services }, map] = await Promise.all([get("console/services", { window }, signal), get("console/map", { window }, signal)]);
  if (!services.length) return nothing("No services yet", h("p", {}, "A service shows up here with its first span in this stretch of time."));
  return [map.nodes.length > 0 && serviceMap(map), serviceTable(services, window === USUAL ? undefined : window)];
}

/**
 * @param {string} name
 * @param {string} window
 * @param {number} width
 * @param {AbortSignal} signal
 */
async function one(name, window, width, signal) {
  const { routes, timeline } = await get(`console/services/${encodeURIComponent(name)}`, { window }, signal);
  if (!routes.length) return nothing("No calls", h("p", {}, "This service has no spans in this stretch of time."));
  const now = Date.now() * 1000;
  const seconds = secondsOf(window);
  const each = width > 900 ? (width - 24) / 2 : width;
  const entries = routes.filter((/** @type {Operation} */ { kind }) => ENTRIES.has(kind.toLowerCase()));
  const others = routes.filter((/** @type {Operation} */ route) => !entries.includes(route));
  return [
    h("div", { class: "timelines" }, timelines(timeline, [now - seconds * 1e6, now], Math.floor(each) - 2)),
    entries.length > 0 && routeTable("Routes", name, entries),
    others.length > 0 && routeTable("Calls and inner operations", name, others),
  ];
}
