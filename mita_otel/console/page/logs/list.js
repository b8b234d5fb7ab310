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
  /** The lines by time, newest first: they come in the order of arrival. @type {{record: LogRecord, node: HTMLElement}[]} */
  let lines = [];
  let chosen = 0;
  const lineOf = (/** @type {number} */ id) => element.querySelector(`[data-row="${id}"]`);
  const find = (/** @type {number} */ id) => lines.find(({ record }) => record.id === id)?.record;

  return {
    element,
    find,
    get size() {
      return lines.length;
    },
    clear() {
      lines = [];
      element.replaceChildren();
    },
    /**
     * Take records in, each once; return those that are new.
     *
     * @param {LogRecord[]} found
     */
    add(found) {
      const known = new Set(lines.map(({ record }) => record.id));
      const fresh = found.filter((record) => !known.has(record.id));
      const made = fresh.map((record) => ({ record, node: line(record, () => choose(record)) }));
      lines = [...lines, ...made].sort(({ record: one }, { record: other }) => other.time - one.time || other.id - one.id);
      for (let index = lines.length - 1; index >= 0; index--) {
        const { node } = lines[index];
        if (!node.isConnected) element.insertBefore(node, lines[index + 1]?.node ?? null);
      }
      return fresh;
    },
    /** Drop the oldest lines of a tail that has run for long. */
    trim() {
      for (const { node } of lines.splice(MOST)) node.remove();
    },
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
