/** Pictures of a budget in a row of a table: what is left of it, signed, and how it came to that. */

import { h } from "../dom.js";
import { toneOf } from "../parts/state.js";
import { left } from "./words.js";

/** @typedef {import("../contract.js").Slo} Slo */

const SIZE = { width: 126, height: 14 };
const ZERO = 42; // px: what is left stands to the right of it, what is spent beyond the budget to the left
const TREND = { width: 100, height: 28 };

/**
 * @param {Slo} slo
 */
export function budgetBar({ title, error_budget: budget, policy_stage: stage }) {
  const remaining = budget.remaining_ratio;
  const full = SIZE.width - ZERO;
  const said = remaining === null ? "no data" : remaining < 0 ? `overspent, ${left(remaining)} left` : `${left(remaining)} left`;
  return h(
    "svg:svg",
    { class: "budget-bar", ...SIZE, role: "img", "aria-label": `Budget of ${title}: ${said}` },
    h("svg:rect", { class: remaining === null ? "budget-unknown" : "budget-ground", x: ZERO + 0.5, y: 1.5, width: full - 1, height: SIZE.height - 3, rx: 2 }),
    remaining !== null && remaining > 0 && h("svg:rect", { class: `was ${toneOf(stage ?? "")}`, x: ZERO, y: 1, width: Math.max(remaining * full, 1.5), height: SIZE.height - 2 }),
    remaining !== null && remaining < 0 && overspent(remaining),
    h("svg:line", { class: "budget-zero", x1: ZERO, x2: ZERO, y1: 0, y2: SIZE.height }),
  );
}

/**
 * Return the bar of what is spent beyond the budget; one that is longer than the picture ends in a point.
 *
 * @param {number} remaining  below 0
 */
function overspent(remaining) {
  const reach = Math.max(ZERO * (1 + remaining), 0);
  if (remaining >= -1) return h("svg:rect", { class: "was bad", x: reach, y: 1, width: Math.max(ZERO - reach, 1.5), height: SIZE.height - 2 });
  return h("svg:path", { class: "was bad", d: `M${ZERO} 1H8L0 ${SIZE.height / 2}L8 ${SIZE.height - 1}H${ZERO}Z` });
}

/**
 * Return how a budget burnt down, as a small picture: from a full budget at the top to what is left.
 *
 * @param {Slo} slo
 */
export function trendLine({ title, trend, policy_stage: stage }) {
  const known = trend.flatMap((value, index) => (value === null ? [] : [/** @type {const} */ ([index, value])]));
  if (!known.length) return h("span", { class: "muted" }, "–");
  const low = Math.min(0, ...known.map(([, value]) => value));
  const x = (/** @type {number} */ index) => (((index + 1) / trend.length) * TREND.width).toFixed(1);
  const y = (/** @type {number} */ value) => (1.5 + ((1 - value) / (1 - low)) * (TREND.height - 3)).toFixed(1);
  const path = known.map(([index, value], place) => (place === 0 || known[place - 1][0] !== index - 1 ? `M${x(index - 1)} ${y(value)}H${x(index)}` : `V${y(value)}H${x(index)}`)).join("");
  return h(
    "svg:svg",
    { class: "trend", ...TREND, role: "img", "aria-label": `Burn-down of ${title}: from ${left(known[0][1])} to ${left(known[known.length - 1][1])}` },
    h("svg:line", { class: "grid", x1: 0, x2: TREND.width, y1: y(0), y2: y(0) }),
    h("svg:path", { class: `trend-line ${toneOf(stage ?? "")}`, d: path }),
  );
}
