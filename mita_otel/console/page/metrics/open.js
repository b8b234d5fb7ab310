/** Metrics: the list of instruments, and beside it the chart of one. */

import { get } from "../api.js";
import { fill, h } from "../dom.js";
import { bind } from "../keys.js";
import { every } from "../live.js";
import { attempt } from "../parts/fault.js";
import { walk } from "../parts/rows.js";
import { address, go } from "../route.js";
import { instrumentView } from "./instrument.js";
import { instrumentList } from "./list.js";

const LIST = 10_000; // ms between two looks for new instruments
const CHART = 5_000; // ms between two looks for new points

/** @type {import("../views.js").Open} */
export function openMetrics(place, route, signal) {
  let current = route;
  /** @type {import("../contract.js").Instrument[]} */
  let instruments = [];
  let seen = ""; // the item that was scrolled into view
  const fault = h("div", { class: "slot" });
  const list = instrumentList();
  const view = instrumentView(signal);
  const page = h("div", { class: "metrics" }, list.element, view.element);
  fill(place, h("h1", { class: "unseen", tabIndex: -1 }, "Metrics"), fault, page);

  async function load() {
    ({ instruments } = await get("console/metrics", {}, signal));
    show();
  }

  function show() {
    page.classList.toggle("with-chart", current.item !== "");
    list.show(instruments, current);
    view.show(instruments, current);
    if (current.item === seen) return;
    seen = current.item;
    list.element.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest" });
  }

  const start = () => void attempt(fault, load, signal).then(view.load);
  const escape = () => (current.item ? go(address("metrics", "", { q: current.query.q })) : false);
  walk(list.element, signal);
  bind({ "/": () => list.find.focus(), Escape: escape, r: start, p: view.flip }, signal);
  void every(LIST, load, signal);
  void every(CHART, async () => view.live && view.load(), signal);
  void attempt(fault, load, signal);
  return {
    update(route) {
      current = route;
      show();
    },
  };
}
