/** What a thing was when: a strip of its states over time, and the list of its changes with their traces. */

import { h } from "../dom.js";
import { clock, duration } from "../format.js";
import { address } from "../route.js";
import { moment } from "./moment.js";
import { state, toneOf, worded } from "./state.js";
import { table } from "./table.js";
import { hideTip, showTip } from "./tip.js";

/** @typedef {import("../contract.js").Change} Change */
/** @typedef {{state: string, from: number, to: number}} Segment  µs */

const SIZE = { width: 180, height: 14 };
const LEAST = 3; // px of a segment, so that what has just changed is seen
const TOLD = 5; // segments that the strip's label tells

/**
 * Return the states of a stretch of time, one after the other.
 *
 * @param {Change[]} changes  newest first
 * @param {string} now        the state that counts if nothing changed
 * @param {[number, number]} span
 * @returns {Segment[]}
 */
export function segments(changes, now, [start, end]) {
  const within = changes.filter(({ time }) => time > start && time < end).reverse();
  const earlier = changes.find(({ time }) => time <= start);
  /** @type {Segment[]} */
  const found = [{ state: earlier?.after ?? within[0]?.before ?? now, from: start, to: end }];
  for (const { time, after } of within) {
    const last = found[found.length - 1];
    if (last.state === after) continue;
    last.to = time;
    found.push({ state: after, from: time, to: end });
  }
  return found;
}

/**
 * @param {string} label
 * @param {Change[]} changes  newest first
 * @param {string} now
 * @param {[number, number]} span
 */
export function strip(label, changes, now, span) {
  const found = segments(changes, now, span);
  const place = (/** @type {number} */ time) => ((time - span[0]) / (span[1] - span[0])) * SIZE.width;
  const said = found.slice(-TOLD).map((one) => `${worded(one.state)} since ${clock(one.from, 0)}`);
  const bar = (/** @type {Segment} */ { state: name, from, to }) => {
    const tell = (/** @type {PointerEvent} */ event) => showTip(event, h("strong", {}, worded(name)), `${clock(from, 0)} to ${clock(to, 0)}, ${duration(to - from)}`);
    return h("svg:rect", { class: `was ${toneOf(name)}`, x: Math.min(place(from), SIZE.width - LEAST), width: Math.max(place(to) - place(from), LEAST), y: 0, height: SIZE.height, onpointermove: tell, onpointerleave: hideTip });
  };
  return h("svg:svg", { class: "strip", ...SIZE, role: "img", "aria-label": `${label}: ${said.join(", ")}` }, found.map(bar));
}

/**
 * Return the changes as a table.
 *
 * @param {string} caption
 * @param {Change[]} changes  newest first
 */
export function history(caption, changes) {
  if (!changes.length) return h("p", { class: "muted" }, "Nothing has changed since the console listens.");
  const row = (/** @type {Change} */ { time, before, after, reason, trace_id: trace, causes = [] }) => [
    h("td", {}, moment(time, 0)),
    h("td", {}, before && [state(before), " → "], state(after), reason && h("div", { class: "muted" }, worded(reason))),
    h("td", { class: "several" }, trace && traceLink(trace, "trace"), causes.map((cause, index) => traceLink(cause, causes.length > 1 ? `cause ${index + 1}` : "cause"))),
  ];
  return table(caption, ["Time", "Change", "Traces"], changes.map(row));
}

/**
 * @param {string} id
 * @param {import("../dom.js").Child} said
 */
export const traceLink = (id, said) => h("a", { href: address("traces", id), title: `trace ${id}` }, said);
