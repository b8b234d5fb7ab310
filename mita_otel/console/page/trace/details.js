/** What the panel tells of a span. */

import { fill, h } from "../dom.js";
import { counted, duration, percent, text } from "../format.js";
import { note } from "../parts/fault.js";
import { moment } from "../parts/moment.js";
import { service } from "../parts/service.js";
import { attributes, copy, facts, finder, section, value } from "../parts/value.js";
import { writePairs } from "../parts/pairs.js";
import { address } from "../route.js";
import { levelName, levelOf } from "../logs/severity.js";
import { quantity } from "../metrics/units.js";
import { selfTime } from "./model.js";

/** @typedef {import("./model.js").Span} Span */
/** @typedef {import("./model.js").Trace} Trace */
/** @typedef {import("../contract.js").LogRecord} LogRecord */

/** Tags that the summary tells. */
const TOLD = new Set(["span.kind", "error", "otel.status_code", "otel.status_description"]);

/** @param {Span} span */
export const spanHeading = (span) => [service(span.service), h("span", { class: "heading-operation" }, span.operation)];

/**
 * @param {Span} span
 * @param {Trace} trace
 * @param {LogRecord[]} records  of the trace
 * @param {(key: string) => void} choose
 */
export function spanDetails(span, trace, records, choose) {
  const own = records.filter((record) => record.span_id === span.id);
  const exemplars = trace.exemplars.filter((exemplar) => exemplar.spanID === span.id);
  const tags = span.tags.filter((tag) => !TOLD.has(tag.key)).map((tag) => /** @type {[string, unknown]} */ ([tag.key, tag.value]));
  return [
    span.warnings.map((warning) => note(warning)),
    summary(span, trace, choose),
    section("Attributes", attributes(tags, "Attributes of the span", finder("traces", "tags", "traces")), { number: tags.length }),
    own.length > 0 && section("Log lines", recordList(own, trace, choose), { number: own.length }),
    exemplars.length > 0 && section("Metrics", exemplarList(exemplars, trace), { number: exemplars.length }),
    span.events.length > 0 && section("Events", span.events.map((event) => eventDetails(event, trace)), { number: span.events.length }),
    span.links.length > 0 && section("Links", linkList(span), { number: span.links.length }),
    section("Resource", attributes(span.process.map((tag) => [tag.key, tag.value]), "Attributes of the resource"), { open: false, number: span.process.length }),
  ];
}

/**
 * @param {Span} span
 * @param {Trace} trace
 * @param {(key: string) => void} choose
 */
function summary(span, trace, choose) {
  const critical = span.critical.reduce((sum, [start, end]) => sum + end - start, 0);
  const total = trace.end - trace.start || 1;
  const message = span.tags.find((tag) => tag.key === "otel.status_description")?.value;
  const parent = span.parent === null ? undefined : trace.spans.get(span.parent);
  return facts([
    ["Duration", [duration(span.duration), span.children.length > 0 && h("span", { class: "muted" }, ` · self ${duration(selfTime(span))}`)]],
    ["Start", [`+${duration(span.start - trace.start)} `, h("span", { class: "muted" }, moment(span.start, 6))]],
    ["Status", span.failed ? h("span", { class: "errors" }, "error", message ? ": " : "", message ? value(message) : "") : "ok"],
    ["Kind", span.kind.toLowerCase()],
    ["Critical path", critical ? `${duration(critical)}, ${percent(critical / total)} of the trace` : "not on it"],
    ["Span", [h("code", {}, span.id), copy(span.id, "the span's id")]],
    ["Parent", parent ? h("button", { class: "link", type: "button", onclick: () => choose(parent.id) }, parent.operation) : "none"],
  ]);
}

/**
 * @param {LogRecord[]} records
 * @param {Trace} trace
 * @param {(key: string) => void} choose
 */
function recordList(records, trace, choose) {
  const item = (/** @type {LogRecord} */ record) =>
    h(
      "li",
      {},
      h(
        "button",
        { class: "record-link", type: "button", onclick: () => choose(`log-${record.id}`) },
        h("span", { class: `level ${levelOf(record.severity)}` }, levelName(record)),
        h("span", { class: "muted" }, `+${duration(record.time - trace.start)}`),
        h("span", { class: "record-body" }, text(record.body)),
      ),
    );
  return h("ol", { class: "plain" }, [...records].sort((one, other) => one.time - other.time).map(item));
}

/**
 * @param {Trace["exemplars"]} exemplars
 * @param {Trace} trace
 */
function exemplarList(exemplars, trace) {
  const item = (/** @type {Trace["exemplars"][0]} */ { instrument, service, attributes, time, value, unit, spanID }) =>
    h(
      "li",
      { class: "exemplar" },
      h("a", { href: address("metrics", instrument, { service, at: time, trace: trace.id, span: spanID }) }, instrument),
      h("span", {}, ` ${quantity(value, unit)}`),
      h("span", { class: "muted block" }, writePairs(attributes)),
    );
  return h("ul", { class: "plain" }, exemplars.map(item));
}

/**
 * @param {{timestamp: number, fields: import("../contract.js").Tag[]}} event
 * @param {Trace} trace
 */
function eventDetails({ timestamp, fields }, trace) {
  const name = fields.find((field) => field.key === "event")?.value;
  const rest = fields.filter((field) => field.key !== "event").map((field) => /** @type {[string, unknown]} */ ([field.key, field.value]));
  return h(
    "div",
    { class: "event" },
    h("h3", {}, text(name ?? "event"), h("span", { class: "muted" }, ` +${duration(timestamp - trace.start)}`)),
    rest.length > 0 && attributes(rest, "Attributes of the event"),
  );
}

/** @param {Span} span */
function linkList(span) {
  const item = (/** @type {{traceID: string, spanID: string}} */ link) =>
    h("li", {}, h("a", { href: address("traces", link.traceID, { span: link.spanID }) }, h("code", {}, `${link.traceID.slice(0, 8)}… / ${link.spanID}`)));
  return h("ul", { class: "plain" }, span.links.map(item));
}

/**
 * Show above a waterfall what is not as it should be.
 *
 * @param {Element} place
 * @param {Trace} trace
 */
export function showFlaws(place, trace) {
  fill(
    place,
    trace.missing.length > 0 && note(`${counted(trace.missing.length, "parent span")} missing, marked by “?”: not sampled, not arrived yet, or lost.`),
    trace.warnings.map((warning) => note(warning)),
    trace.duplicates > 0 && note(`${counted(trace.duplicates, "span")} came more than once; the latest is shown.`),
  );
}
