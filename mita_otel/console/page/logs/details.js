/** What the panel tells of a log record. */

import { h } from "../dom.js";
import { text } from "../format.js";
import { moment } from "../parts/moment.js";
import { service } from "../parts/service.js";
import { attributes, copy, facts, finder, section, value } from "../parts/value.js";
import { address } from "../route.js";
import { levelName, levelOf } from "./severity.js";

/** @typedef {import("../contract.js").LogRecord} LogRecord */

/** @param {LogRecord} record */
export const recordHeading = (record) => [h("span", { class: `level ${levelOf(record.severity)}` }, levelName(record)), service(record.service)];

/**
 * @param {LogRecord} record
 * @param {{within?: boolean}} [where]  `within`: it is shown in its trace already
 */
export function recordDetails(record, { within = false } = {}) {
  const { trace_id: trace, span_id: span } = record;
  return [
    h("div", { class: "record-text" }, value(record.body), copy(text(record.body), "the message")),
    facts([
      ["Time", moment(record.time, 6)],
      ["Logger", record.scope || "–"],
      ["Trace", trace ? [within ? h("code", {}, trace) : h("a", { href: address("traces", trace, { span: span ?? "" }) }, h("code", {}, trace)), copy(trace, "the trace's id")] : "none"],
      ["Span", span && trace ? (within ? h("code", {}, span) : h("a", { href: address("traces", trace, { span }) }, h("code", {}, span))) : "none"],
    ]),
    section("Attributes", attributes(Object.entries(record.attributes), "Attributes of the record", finder("logs", "attributes", "log lines")), { number: Object.keys(record.attributes).length }),
    section("Resource", attributes(Object.entries(record.resource), "Attributes of the resource"), { open: false, number: Object.keys(record.resource).length }),
  ];
}
