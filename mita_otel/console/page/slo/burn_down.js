/** How a budget burnt down over what is known of its period, with the bounds of the policy and the bad events. */

import { linear, roundStep, timeline } from "../chart/scale.js";
import { fill, h } from "../dom.js";
import { clock, count, counted, span } from "../format.js";
import { toneOf, worded } from "../parts/state.js";
import { hideTip, showTip } from "../parts/tip.js";
import { known, left } from "./words.js";

/** @typedef {import("../contract.js").SpendingAnswer} SpendingAnswer */
/** @typedef {import("../contract.js").BurnPart} BurnPart */
/** @typedef {import("../chart/scale.js").Scale} Scale */
/** @typedef {BurnPart & {begin: number}} Part */

const EDGE = { left: 64, right: 92, top: 10 };
const FLOOR = 190; // px: the lower edge of the burn-down
const EVENTS = { top: 204, bottom: 244 }; // px: of the bad events below it
const HEIGHT = 268;
const APART = 13; // px between two bounds of the policy whose names are both shown

/**
 * @param {SpendingAnswer} answer
 * @param {number} width  px
 */
export function burnDown({ burn_down: { start, left_at_start: first, parts: given }, stages, objective }, width) {
  const parts = given.map((part, index) => ({ ...part, begin: index ? given[index - 1].end : start }));
  const caption = [h("h2", {}, "Burn-down"), h("span", { class: "muted" }, `${known(objective.coverage)} of ${objective.period} is known. Of what all events so far allow, this was left.`)];
  if (parts.some(({ remaining }) => remaining === null)) caption.push(h("span", { class: "key-item" }, h("span", { class: "gap-key", "aria-hidden": "true" }), "nobody counted"));
  if (!parts.some(({ remaining }) => remaining !== null)) {
    return h("figure", { class: "chart" }, h("figcaption", {}, caption), h("p", { class: "unknown-all" }, "No data: nothing happened that is known, or the objective is not told."));
  }
  const end = parts[parts.length - 1].end;
  const inner = Math.max(width - 2, 280);
  const x = timeline([start, end], [EDGE.left, inner - EDGE.right], inner / 120);
  const y = budgetScale(Math.min(first ?? 0, ...parts.map(({ remaining }) => remaining ?? 0)));
  const label = `Burn-down of ${objective.title}: ${left(first ?? 1)} at ${clock(start, 0)}, ${left(objective.error_budget.remaining_ratio)} at ${clock(end, 0)}`;
  const cursor = h("svg:line", { class: "cross-hair", y1: EDGE.top, y2: EVENTS.bottom, visibility: "hidden" });
  const picture = h("svg:svg", { class: "burn-chart", width: inner, height: HEIGHT, role: "img", "aria-label": label }, ground(x, y, inner), gaps(parts, x), bounds(stages, y, inner), cursor, curve(parts, first, x, y), badEvents(parts, x));
  const said = h("output", { class: "reading muted", "aria-live": "polite" }, "Arrow keys read the values.");
  const reader = h("div", { class: "chart-reader", tabindex: "0", role: "group", "aria-label": "Burn-down, read with the arrow keys" }, picture);
  listen({ reader, picture, cursor, said, parts, x });
  return h("figure", { class: "chart" }, h("figcaption", {}, caption), reader, said);
}

/**
 * Return a scale up to a full budget, and from zero or, where more is spent, from a round number below everything.
 *
 * @param {number} lowest
 */
function budgetScale(lowest) {
  const step = lowest < 0 ? roundStep((1 - lowest) / 4) : 0.25;
  const bottom = Math.floor(Math.min(lowest, 0) / step) * step;
  const ticks = Array.from({ length: Math.floor((1 - bottom) / step + 1e-9) + 1 }, (_, index) => bottom + index * step);
  return linear([bottom, 1], [FLOOR, EDGE.top], ticks);
}

/**
 * @param {Scale} x
 * @param {Scale} y
 * @param {number} width
 */
const ground = (x, y, width) => [
  y.ticks.map((tick) => [
    h("svg:line", { class: Math.abs(tick) < 1e-9 ? "zero-line" : "grid", x1: EDGE.left, x2: width - EDGE.right, y1: y.place(tick), y2: y.place(tick) }),
    h("svg:text", { class: "tick", x: EDGE.left - 8, y: y.place(tick) + 4, "text-anchor": "end" }, left(Math.abs(tick) < 1e-9 ? 0 : tick)),
  ]),
  h("svg:text", { class: "tick", x: EDGE.left - 8, y: EVENTS.bottom, "text-anchor": "end" }, "bad"),
  h("svg:line", { class: "grid", x1: EDGE.left, x2: width - EDGE.right, y1: EVENTS.bottom, y2: EVENTS.bottom }),
  x.ticks.map((tick) => h("svg:text", { class: "tick", x: x.place(tick), y: HEIGHT - 8, "text-anchor": "middle" }, clock(tick, 0).replace(/:00$/, ""))),
];

/**
 * Return the bounds of the policy's stages: below each one the next stage begins.
 *
 * @param {SpendingAnswer["stages"]} stages
 * @param {Scale} y
 * @param {number} width
 */
function bounds(stages, y, width) {
  let below = Infinity; // the worst are named first, where there is no room for all
  return stages
    .slice(1)
    .map(({ name }, index) => ({ name, place: y.place(stages[index].above ?? 0) }))
    .reverse()
    .map(({ name, place }) => {
      const isApart = below - place >= APART;
      if (isApart) below = place;
      return [
        h("svg:line", { class: `bound ${toneOf(name)}`, x1: EDGE.left, x2: width - EDGE.right, y1: place, y2: place }),
        isApart && h("svg:text", { class: "tick", x: width - EDGE.right + 6, y: place + 4 }, worded(name)),
      ];
    });
}

/**
 * Return a ground for the times in which nobody counted.
 *
 * @param {Part[]} parts
 * @param {Scale} x
 */
function gaps(parts, x) {
  const unknown = parts.filter(({ remaining }) => remaining === null);
  return unknown.map(({ begin, end }) => h("svg:rect", { class: "unknown", x: x.place(begin), width: Math.max(x.place(end) - x.place(begin), 0), y: EDGE.top, height: EVENTS.bottom - EDGE.top }));
}

/**
 * Return the line: in steps, for what is spent stays spent, and broken where nothing is known.
 *
 * @param {Part[]} parts
 * @param {number | null} first
 * @param {Scale} x
 * @param {Scale} y
 */
function curve(parts, first, x, y) {
  let [path, area, from] = ["", "", /** @type {number | null} */ (null)];
  const zero = y.place(0).toFixed(1);
  parts.forEach(({ begin, end, remaining }, index) => {
    if (remaining === null) {
      if (from !== null) area += `L${x.place(begin).toFixed(1)} ${zero}Z`;
      from = null;
      return;
    }
    const place = `${x.place(end).toFixed(1)} ${y.place(remaining).toFixed(1)}`;
    if (from === null) {
      const level = index === 0 && first !== null ? first : remaining;
      const corner = `${x.place(begin).toFixed(1)} ${y.place(level).toFixed(1)}`;
      path += `M${corner}`;
      area += `M${x.place(begin).toFixed(1)} ${zero}L${corner}`;
      from = begin;
    }
    const step = `V${y.place(remaining).toFixed(1)}L${place}`;
    path += step;
    area += step;
  });
  if (from !== null) area += `V${zero}Z`;
  return [h("svg:path", { class: "burn-area", d: area }), h("svg:path", { class: "burn-line", d: path })];
}

/**
 * @param {Part[]} parts
 * @param {Scale} x
 */
function badEvents(parts, x) {
  const most = Math.max(...parts.map(({ bad }) => bad ?? 0), 1);
  const bad = parts.filter((part) => (part.bad ?? 0) > 0);
  return bad.map(({ begin, end, bad: number }) => {
    const height = Math.max(((number ?? 0) / most) * (EVENTS.bottom - EVENTS.top), 2);
    return h("svg:rect", { class: "spark", x: x.place(begin), width: Math.max(x.place(end) - x.place(begin) - 0.5, 1), y: EVENTS.bottom - height, height });
  });
}

/** @param {Part} part */
function told({ remaining, good, bad }) {
  if (remaining === null) return "nobody counted";
  return `${left(remaining)} left, ${count(Math.round(bad ?? 0))} bad of ${counted(Math.round((bad ?? 0) + (good ?? 0)), "event")}`;
}

/**
 * Let the pointer and the arrow keys read the chart.
 *
 * @param {{reader: HTMLElement, picture: Element, cursor: Element, said: Element, parts: Part[], x: Scale}} chart
 */
function listen({ reader, picture, cursor, said, parts, x }) {
  let at = parts.length; // beyond the last one: the first key to the left reads that
  const mark = (/** @type {number} */ index) => {
    at = index;
    const place = String(x.place((parts[at].begin + parts[at].end) / 2));
    cursor.setAttribute("x1", place);
    cursor.setAttribute("x2", place);
    cursor.setAttribute("visibility", "visible");
  };
  const hide = () => {
    cursor.setAttribute("visibility", "hidden");
    hideTip();
  };
  /** @type {Record<string, () => number>} */
  const moves = { ArrowLeft: () => at - 1, ArrowRight: () => at + 1, Home: () => 0, End: () => parts.length - 1, PageUp: () => at - 10, PageDown: () => at + 10 };
  reader.addEventListener("keydown", (event) => {
    if (!moves[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    mark(Math.min(Math.max(moves[event.key](), 0), parts.length - 1));
    fill(said, `${clock(parts[at].end, 0)}: ${told(parts[at])}`);
  });
  reader.addEventListener("blur", hide);
  picture.addEventListener("pointermove", (/** @type {any} */ event) => {
    const time = x.value(event.clientX - picture.getBoundingClientRect().left);
    const index = parts.findIndex(({ begin, end }) => time >= begin && time < end);
    if (index < 0) return hide();
    mark(index);
    showTip(event, h("strong", {}, `${clock(parts[index].begin, 0)}, ${span(Math.round((parts[index].end - parts[index].begin) / 1e6))}`), told(parts[index]));
  });
  picture.addEventListener("pointerleave", hide);
}
