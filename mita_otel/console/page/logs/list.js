/** The list of log lines, newest first. */

import { h } from "../dom.js";
import { text } from "../format.js";
import { moment } from "../parts/moment.js";
import { service } from "../parts/service.js";
import { address } from "../route.js";
import { levelName, levelOf } from "./severity.js";

/** @typedef {import("../contract.js").LogRecord} LogRecord */

const MOST = 2000; // lines that the tail keeps

/** @param {(record: LogRecord) => void} choose */
export function lineList(choose) {
  const element = h("ol", { class: "rows logs", "aria-label": "Log lines" });
  /** @type {Map<number, LogRecord>} */
  const records = new Map();
  let chosen = 0;

  /** @param {LogRecord[]} found */
  const make = (found) =>
    found
      .filter((record) => !records.has(record.id))
      .map((record) => {
        records.set(record.id, record);
        return line(record, () => choose(record));
      });
  const lineOf = (/** @type {number} */ id) => element.querySelector(`[data-row="${id}"]`);

  return {
    element,
    get size() {
      return records.size;
    },
    clear() {
      records.clear();
      element.replaceChildren();
    },
    /** @param {LogRecord[]} found */
    append: (found) => element.append(...make(found)),
    /** @param {LogRecord[]} found */
    prepend(found) {
      element.prepend(...make(found));
      while (element.children.length > MOST) {
        records.delete(Number(element.lastElementChild.querySelector("[data-row]").dataset.row));
        element.lastElementChild.remove();
      }
    },
    /** @param {number} id */
    find: (id) => records.get(id),
    /** @param {number} id */
    choose(id) {
      lineOf(chosen)?.removeAttribute("aria-current");
      lineOf(id)?.setAttribute("aria-current", "true");
      chosen = id;
    },
  };
}

/**
 * @param {LogRecord} record
 * @param {() => void} choose
 */
function line(record, choose) {
  const level = levelOf(record.severity);
  const { trace_id: trace, span_id: span } = record;
  return h(
    "li",
    { class: level },
    h(
      "button",
      { class: "row", type: "button", data: { row: record.id }, onclick: choose },
      h("span", { class: "when" }, moment(record.time)),
      h("span", { class: `level ${level}` }, levelName(record)),
      service(record.service),
      h("span", { class: "message" }, text(record.body)),
    ),
    trace && h("a", { class: "quiet trace-link", href: address("traces", trace, { span }), title: "open its trace" }, "trace"),
  );
}
