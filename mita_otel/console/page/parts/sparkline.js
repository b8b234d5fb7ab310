/** A small picture of how many of something there were in each part of a stretch of time. */

import { h } from "../dom.js";
import { clock, count, counted } from "../format.js";
import { hideTip, showTip } from "./tip.js";

const SIZE = { width: 180, height: 22 };

/**
 * @param {string} thing
 * @param {number[]} numbers
 * @param {{start: number, step: number}} parts  µs
 */
export function sparkline(thing, numbers, { start, step }) {
  const each = SIZE.width / numbers.length;
  const most = Math.max(...numbers, 1);
  const peak = numbers.indexOf(most);
  const label = `${counted(numbers.reduce((sum, number) => sum + number, 0), thing)}${peak < 0 ? "" : `, most of them, ${count(most)}, at ${clock(start + peak * step, 0)}`}`;
  const bar = (/** @type {number} */ number, /** @type {number} */ index) => {
    const height = number && Math.max((number / most) * (SIZE.height - 1), 2);
    const tell = (/** @type {PointerEvent} */ event) => showTip(event, h("strong", {}, clock(start + index * step, 0)), counted(number, thing));
    return h("svg:g", { onpointermove: tell, onpointerleave: hideTip }, [
      h("svg:rect", { class: "spark-ground", x: index * each, width: each, y: 0, height: SIZE.height }),
      number > 0 && h("svg:rect", { class: "spark", x: index * each, width: each - 0.5, y: SIZE.height - 1 - height, height }),
    ]);
  };
  const line = h("svg:line", { class: "grid", x1: 0, x2: SIZE.width, y1: SIZE.height - 0.5, y2: SIZE.height - 0.5 });
  return h("svg:svg", { class: "sparkline", ...SIZE, role: "img", "aria-label": label }, numbers.map(bar), line);
}
