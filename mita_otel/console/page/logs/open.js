/** Log lines: a search, the live tail, and the panel with one record. */

import { get, searchBack } from "../api.js";
import { fill, h } from "../dom.js";
import { clock, counted } from "../format.js";
import { bind } from "../keys.js";
import { every } from "../live.js";
import { attempt, nothing } from "../parts/fault.js";
import { focusOn } from "../parts/fields.js";
import { liveButton } from "../parts/live_button.js";
import { panel } from "../parts/panel.js";
import { walk } from "../parts/rows.js";
import { changed, go } from "../route.js";
import { recordDetails, recordHeading } from "./details.js";
import { form, readQuery, showForm } from "./form.js";
import { lineList } from "./list.js";

const PAGE = 200; // records
const HELD = 1000; // records
const TAIL = 1000; // ms between two looks
const LATE = 60e6; // µs: how old a record may be and still be new here

/** @typedef {import("../contract.js").LogRecord} LogRecord */

/** @type {import("../views.js").Open} */
export function openLogs(place, route, signal) {
  let query = route.query;
  let search = new AbortController();
  /** @type {{next: string | null, to: number}} */
  let reached = { next: null, to: 0 };
  /** @type {LogRecord[]} */
  let held = []; // came while somebody read
  let missed = 0; // more of them than are held
  let newest = 0; // id

  const fields = form();
  const fault = h("div", { class: "slot" });
  const list = lineList((record) => go(changed({ record: record.id })));
  const more = h("div", { class: "more-below slot" });
  const scroll = h("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": "Log lines" }, list.element, more);
  const side = panel("Log record", () => go(changed({ record: "" })));
  const said = h("p", { class: "said", role: "status" });
  const news = h("button", { class: "button news", type: "button", hidden: true, onclick: release });
  const live = liveButton("log lines");
  const bar = h("div", { class: "bar" }, said, news, live.element);
  fill(place, h("h1", { class: "unseen", tabIndex: -1 }, "Logs"), fields, fault, bar, h("div", { class: "split" }, scroll, side.element));

  async function start() {
    search.abort();
    search = new AbortController();
    await attempt(fault, () => collect(search.signal), search.signal);
  }

  /**
   * @param {AbortSignal} signal
   * @param {string | null} [before]
   */
  async function collect(signal, before) {
    let fresh = !before;
    for await (const answer of searchBack("console/logs", { ...readQuery(query), before }, "records", PAGE, signal)) {
      if (fresh) clear();
      fresh = false;
      list.add(answer.records);
      note(answer.records);
      reached = { next: answer.next, to: answer.searched_to };
      tell(true);
    }
    tell(false);
    showChosen();
  }

  function clear() {
    list.clear();
    held = [];
    missed = 0;
    newest = 0;
  }

  /** @param {LogRecord[]} records */
  const note = (records) => (newest = records.reduce((most, record) => Math.max(most, record.id), newest));

  /** @param {boolean} going  on by itself */
  function tell(going) {
    const back = reached.next ? `, searched back to ${clock(reached.to, 0)}${going ? ", going on …" : ""}` : "";
    said.textContent = `${counted(list.size, "line")}${back}`;
    news.hidden = held.length === 0;
    news.textContent = `↑ ${counted(held.length + missed, "new line")}`;
    const on = () => attempt(fault, () => collect(search.signal, reached.next), search.signal);
    fill(
      more,
      reached.next && !going && h("button", { class: "button", type: "button", onclick: on }, `Go on before ${clock(reached.to, 0)}`),
      !reached.next && !list.size && nothing("No log lines", h("p", {}, "Nothing matches in this stretch of time. New lines show up by themselves.")),
    );
  }

  /** Ask for what is new; it waits while somebody reads. */
  async function tail() {
    if (live.paused || fault.firstChild) return;
    const asked = readQuery(query);
    const since = Math.max(Date.now() * 1000 - LATE, asked.start ?? 0);
    const { records } = await get("console/logs", { ...asked, start: since, after: newest || undefined, limit: PAGE }, search.signal);
    const fresh = records.filter((/** @type {LogRecord} */ record) => record.id > newest);
    if (!fresh.length) return;
    note(fresh);
    missed += Math.max(0, fresh.length + held.length - HELD);
    held = [...fresh, ...held].slice(0, HELD);
    if (scroll.scrollTop > 4 || list.element.matches(":hover")) tell(false);
    else release();
  }

  function release() {
    scroll.scrollTop = 0;
    if (missed) return void start(); // the list would have a hole
    list.add(held);
    list.trim();
    held = [];
    tell(false);
  }

  function showChosen() {
    const record = list.find(Number(query.record));
    list.choose(record?.id ?? 0);
    if (record) side.show(recordHeading(record), recordDetails(record));
    else side.hide();
  }

  function update(/** @type {import("../route.js").Route} */ route) {
    const before = keyOf(query);
    query = route.query;
    showForm(fields, query, signal);
    live.show(query);
    if (before === keyOf(query)) showChosen();
    else void start();
  }

  const escape = () => (query.record ? go(changed({ record: "" })) : false);
  walk(list.element, signal);
  bind({ r: () => void start(), p: live.flip, Escape: escape, "/": () => focusOn(fields, "text") }, signal);
  signal.addEventListener("abort", () => search.abort());
  update(route);
  void start();
  void every(TAIL, tail, signal);
  return { update };
}

/**
 * Return what the search depends on.
 *
 * @param {import("../route.js").Query} query
 */
const keyOf = ({ record, live, ...asked }) => JSON.stringify(Object.entries(asked).sort());
