/** One trace: the waterfall with its log lines, and the panel beside it. */

import { get, searchBack } from "../api.js";
import { fill, h } from "../dom.js";
import { bind } from "../keys.js";
import { every } from "../live.js";
import { recordDetails, recordHeading } from "../logs/details.js";
import { attempt } from "../parts/fault.js";
import { panel } from "../parts/panel.js";
import { changed, go, listOf } from "../route.js";
import { showFlaws, spanDetails, spanHeading } from "./details.js";
import { flipFolded, readFolded } from "./folding.js";
import { showHeading, toolbar } from "./heading.js";
import { linesOf, mentions } from "./lines.js";
import { readTrace } from "./model.js";
import { waterfall } from "./waterfall.js";

const RECORDS = 2000; // log lines of one trace
const YOUNG = 20e6; // µs: so long spans may still be on their way
const LOOK = 2000; // ms

/** @type {import("../views.js").Open} */
export function openTrace(place, route, signal) {
  let { item: id, query } = route;
  /** @type {import("./model.js").Trace | null} */
  let trace = null;
  /** @type {import("../contract.js").LogRecord[]} */
  let records = [];
  /** @type {import("./lines.js").Line[]} */
  let lines = [];
  /** @type {Set<string> | null} */
  let matches = null;
  let size = 0;
  let told = ""; // the key that the panel tells of

  const choose = (/** @type {string} */ key) => go(changed({ span: key }));
  const close = () => go(changed({ span: "" }));
  const fold = (/** @type {string} */ key) => go(changed({ folded: flipFolded(query.folded ?? "", key) }), { replace: true });
  const zoomTo = (/** @type {[number, number]} */ [from, to]) => trace && go(changed({ zoom: `${from - trace.start}-${to - trace.start}` }));

  const heading = h("header", { class: "trace-heading" });
  const fault = h("div", { class: "slot" });
  const flaws = h("div", { class: "slot" });
  const bar = toolbar({ foldAll: (all) => go(changed({ folded: all ? "*" : "" })), next: nextMatch });
  const fall = waterfall({ fold, choose, zoom: zoomTo }, signal);
  const side = panel("Details", close);
  const main = h("div", { class: "split" }, fall.element, side.element);
  const content = h("div", { class: "trace-page", hidden: true }, heading, flaws, bar.element, main);
  fill(place, fault, content);

  async function load() {
    const wanted = id;
    const [answer, found] = await Promise.all([get(`console/traces/${encodeURIComponent(wanted)}`, {}, signal), recordsOf(wanted, signal)]);
    if (wanted !== id || (trace?.id === answer.trace.traceID && sizeOf(answer, found) === size)) return;
    size = sizeOf(answer, found);
    trace = readTrace(answer, answer.exemplars.length ? await unitsOf(signal) : undefined);
    records = found;
    told = "";
    content.hidden = false;
    document.title = `${trace.roots[0]?.operation ?? "trace"} · mita_otel console`;
    showHeading(heading, trace, records.length);
    showFlaws(flaws, trace);
    show();
  }

  function show() {
    if (!trace) return;
    const shown = query.logs === "0" ? [] : records;
    const withRecords = new Set(shown.map((record) => record.span_id ?? ""));
    lines = linesOf(trace, shown, readFolded(query.folded ?? "", trace, withRecords));
    const wanted = (query.q ?? "").trim().toLowerCase();
    matches = wanted ? new Set(lines.filter((line) => mentions(line, wanted)).map((line) => line.key)) : null;
    bar.show(query, matches && matches.size);
    fall.show({ lines, withRecords, window: windowOf(trace, query.zoom), origin: trace.start, critical: query.path !== "0", chosen: query.span ?? null, matches });
    showChosen(trace);
  }

  /** @param {import("./model.js").Trace} trace */
  function showChosen(trace) {
    if (query.span && query.span === told) return;
    told = query.span ?? "";
    const span = trace.spans.get(query.span ?? "");
    const record = records.find((one) => `log-${one.id}` === query.span);
    if (span) side.show(spanHeading(span), spanDetails(span, trace, records, choose));
    else if (record) side.show(recordHeading(record), recordDetails(record, { within: true }));
    else side.hide();
    if ((span || record) && fall.current?.key !== query.span) fall.moveTo(query.span);
  }

  function nextMatch() {
    if (!matches?.size) return;
    const at = lines.findIndex((line) => line.key === fall.current?.key);
    const next = [...lines.slice(at + 1), ...lines.slice(0, at + 1)].find((line) => matches?.has(line.key));
    if (next) fall.moveTo(next.key);
  }

  /** @param {number} by */
  function step(by) {
    const line = fall.step(by);
    if (line && query.span) go(changed({ span: line.key }), { replace: true });
  }

  /** @param {boolean} open */
  function unfold(open) {
    const line = fall.current;
    if (!line?.span || line.open === open || !(line.span.children.length || records.some((one) => one.span_id === line.key))) return false;
    fold(line.key);
  }

  function escape() {
    if (query.span) close();
    else if (query.zoom) go(changed({ zoom: "" }));
    else go(listOf("traces"));
  }

  function zoom() {
    const span = trace?.spans.get(fall.current?.key ?? "");
    if (query.zoom) go(changed({ zoom: "" }));
    else if (span) zoomTo([span.start, span.start + Math.max(span.duration, 1)]);
  }

  const enter = () => (fall.current && document.activeElement?.matches(".waterfall-body, body, h1, #main") ? choose(fall.current.key) : false);
  const [down, up] = [() => step(1), () => step(-1)];
  bind({ j: down, k: up, ArrowLeft: () => unfold(false), ArrowRight: () => unfold(true), Enter: enter, Escape: escape, z: zoom, "/": () => bar.find.focus(), r: start }, signal);
  fall.element.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!by) return;
    event.preventDefault();
    step(by);
  });

  function start() {
    void attempt(fault, load, signal);
  }

  const isYoung = () => trace && Date.now() * 1000 - trace.end < YOUNG && !fault.firstChild;
  void every(LOOK, async () => isYoung() && load(), signal);
  start();
  return {
    update(route) {
      const other = route.item !== id;
      ({ item: id, query } = route);
      if (!other) return show();
      content.hidden = true;
      start();
    },
  };
}

/**
 * @param {string} id
 * @param {AbortSignal} signal
 */
async function recordsOf(id, signal) {
  /** @type {import("../contract.js").LogRecord[]} */
  const found = [];
  for await (const answer of searchBack("console/logs", { trace_id: id }, "records", RECORDS, signal)) found.push(...answer.records);
  return found;
}

/**
 * Return the units of all instruments by their names.
 *
 * @param {AbortSignal} signal
 * @returns {Promise<Map<string, string>>}
 */
async function unitsOf(signal) {
  const { instruments } = await get("console/metrics", {}, signal);
  return new Map(instruments.map((/** @type {import("../contract.js").Instrument} */ { name, unit }) => [name, unit]));
}

/**
 * Return a number that grows with what is known of a trace.
 *
 * @param {import("../contract.js").TraceAnswer} answer
 * @param {import("../contract.js").LogRecord[]} records
 */
const sizeOf = (answer, records) => answer.trace.spans.length + records.length + answer.exemplars.length + answer.duplicates;

/**
 * Return the stretch of time that is shown: the zoomed one, else all of the trace.
 *
 * @param {import("./model.js").Trace} trace
 * @param {string | undefined} zoom  `from-to`, µs since the trace began
 * @returns {[number, number]}
 */
function windowOf(trace, zoom) {
  const [, from, to] = /^(\d+)-(\d+)$/.exec(zoom ?? "") ?? [];
  if (to !== undefined && Number(to) > Number(from)) return [trace.start + Number(from), trace.start + Number(to)];
  return [trace.start, Math.max(trace.end, trace.start + 1)];
}
