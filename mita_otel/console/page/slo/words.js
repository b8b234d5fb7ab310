/** Shares, budgets and lengths of time as people read them who have objectives. */

import { duration, short } from "../format.js";

const DAY = 86_400; // s
const MOST_DIGITS = 6;

/**
 * Return a share of good events: with so many digits that it is never said to be all of them unless it is.
 *
 * @param {number | null} ratio  0 to 1
 */
export function share(ratio) {
  if (ratio === null) return "–";
  const missing = 1 - ratio;
  const digits = missing > 0 && missing < 1 ? Math.min(Math.max(Math.ceil(-Math.log10(missing)), 2), MOST_DIGITS) : 0;
  const scale = 10 ** digits;
  return `${Math.floor(ratio * 100 * scale + 1e-6) / scale} %`;
}

/**
 * Return what is left of a budget, signed.
 *
 * @param {number | null} ratio  up to 1
 */
export const left = (ratio) => (ratio === null ? "no data" : `${minus(short(ratio * 100))} %`);

/** @param {string} text */
const minus = (text) => text.replace(/^-/, "−");

/**
 * Return a burn rate.
 *
 * @param {number | null} rate
 */
export const burn = (rate) => (rate === null ? "–" : `${short(rate)}×`);

/**
 * Return a length of time, in days where it is long.
 *
 * @param {number | null} seconds
 */
export function lasting(seconds) {
  if (seconds === null) return "–";
  return seconds >= 2 * DAY ? `${short(seconds / DAY)} days` : duration(seconds * 1e6);
}

/**
 * Return how much of a period is known.
 *
 * @param {number} ratio  0 to 1
 */
export const known = (ratio) => (ratio >= 0.9995 ? "all" : ratio < 0.001 ? "< 0.1 %" : `${short(ratio * 100)} %`);
