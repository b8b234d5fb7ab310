/** One line of the waterfall: a span with its bar, or a log record with its mark. */

import { colourOf } from "../colours.js";
import { h } from "../dom.js";
import { clock, duration, text } from "../format.js";
import { levelName, levelOf } from "../logs/severity.js";
import { foldable } from "./lines.js";

/** @typedef {import("./lines.js").SpanLine} SpanLine */
/** @typedef {import("./lines.js").RecordLine} RecordLine */
/** @typedef {import("./waterfall.js").Shown} Shown */

const INDENT = 14; // px a level
const DEEPEST = 18; // levels that are indented; a chain of thousands stays in sight

/**
 * @param {Shown} shown
 * @param {number} index
 * @param {number} top        px
 * @param {boolean} current   whether the keys act on it
 */
export function lineElement(shown, index, top, current) {
  const line = shown.lines[index];
  const matched = shown.matches?.has(line.key);
  const classes = ["line", line.span?.failed && "failed", current && "current", shown.matches && (matched ? "matched" : "dimmed")];
  return h(
    "div",
    {
      id: `line-${line.key}`,
      class: [...classes, line.record && "log"].filter(Boolean).join(" "),
      role: "row",
      "aria-level": line.depth + 1,
      "aria-rowindex": index + 1,
      "aria-selected": String(shown.chosen === line.key),
      "aria-expanded": foldable(line, shown.withRecords) ? String(/** @type {SpanLine} */ (line).open) : null,
      data: { key: line.key },
      style: { transform: `translateY(${top}px)` },
    },
    line.span ? spanCells(line, shown) : recordCells(line, shown),
  );
}

/**
 * @param {SpanLine} line
 * @param {Shown} shown
 */
function spanCells(line, shown) {
  const { span } = line;
  const folds = foldable(line, shown.withRecords);
  const hidden = !line.open && span.below > 0 && h("span", { class: "badge", title: `${span.below} spans below` }, span.below);
  const fault = span.failed ? "failed" : !line.open && span.failedBelow > 0 ? "a span below failed" : "";
  const names = [
    h("span", { class: "line-service", style: { "--hue": colourOf(span.service) } }, span.service || "(no name)"),
    h("span", { class: "line-operation" }, span.operation || "(no name)"),
    span.target && h("span", { class: "line-target" }, span.target),
  ];
  return [
    h(
      "div",
      { class: "line-name", role: "gridcell", style: { "padding-left": indent(line.depth) } },
      h("span", { class: folds ? "fold" : "fold none", "aria-hidden": "true" }, folds ? (line.open ? "▾" : "▸") : ""),
      h("span", { class: "line-names", title: `${span.service}: ${span.operation} ${span.target}`.trim() }, names),
      span.orphan && h("span", { class: "glyph hollow", title: "its parent is missing" }, "?"),
      fault && h("span", { class: "glyph", role: "img", "aria-label": fault, title: fault }, "!"),
      hidden,
    ),
    h("div", { class: "line-time", role: "gridcell" }, bar(line, shown)),
  ];
}

/**
 * @param {SpanLine} line
 * @param {Shown} shown
 */
function bar({ span }, { window, critical }) {
  const from = share(span.start, window);
  const to = share(span.start + span.duration, window);
  const label = h("span", { class: `bar-label ${labelSide(from, to)}` }, duration(span.duration));
  if (to < 0 || from > 1) return h("span", { class: to < 0 ? "beyond before" : "beyond after" }, to < 0 ? "◂" : "▸", " ", duration(span.duration));
  const place = { left: `${from * 100}%`, width: `max(3px, ${(to - from) * 100}%)`, "--hue": colourOf(span.service) };
  const path = critical ? span.critical.map((section) => piece(section, window)) : [];
  const anchor = h("span", { class: "bar-anchor", style: { left: `${Math.max(from, 0) * 100}%`, right: `${(1 - Math.min(to, 1)) * 100}%` } }, label);
  return [h("span", { class: "span-bar", style: place }), path, span.events.map((event) => dot(event.timestamp, window)), anchor];
}

/**
 * @param {[number, number]} section
 * @param {[number, number]} window
 */
function piece([start, end], window) {
  const from = share(start, window);
  return h("span", { class: "critical", style: { left: `${from * 100}%`, width: `max(2px, ${(share(end, window) - from) * 100}%)` } });
}

/**
 * @param {number} time
 * @param {[number, number]} window
 */
const dot = (time, window) => h("span", { class: "event-dot", style: { left: `${share(time, window) * 100}%` } });

/**
 * @param {RecordLine} line
 * @param {Shown} shown
 */
function recordCells({ record, depth }, { window, origin }) {
  const level = levelOf(record.severity);
  const offset = duration(record.time - origin);
  const place = share(record.time, window);
  return [
    h(
      "div",
      { class: "line-name", role: "gridcell", style: { "padding-left": indent(depth) } },
      h("span", { class: "fold none" }),
      h("span", { class: `level ${level}` }, levelName(record)),
      h("span", { class: "line-message", title: text(record.body) }, text(record.body)),
    ),
    h(
      "div",
      { class: "line-time", role: "gridcell", title: clock(record.time) },
      h("span", { class: "log-anchor", style: { left: `${place * 100}%` } }, h("span", { class: `log-mark ${level}` }), h("span", { class: `bar-label ${labelSide(1, place)}` }, offset)),
    ),
  ];
}

/** @param {number} depth */
const indent = (depth) => `min(${Math.min(depth, DEEPEST) * INDENT}px, 45%)`;

/**
 * Return where in a window a time is: 0 at its beginning, 1 at its end.
 *
 * @param {number} time
 * @param {[number, number]} window
 */
export const share = (time, [from, to]) => (time - from) / (to - from || 1);

/**
 * Return the side of a bar that has the most room for its label.
 *
 * @param {number} from
 * @param {number} to
 */
export function labelSide(from, to) {
  if (to < 0.84) return "right";
  return from > 0.16 ? "left" : "inside";
}
