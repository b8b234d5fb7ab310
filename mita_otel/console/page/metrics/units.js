/** A metric's value in its UCUM unit, as people read it. */

import { bytes, compact, duration, short } from "../format.js";

/** @type {Map<string, (value: number) => string>} */
const FORMATS = new Map([
  ["s", (value) => duration(value * 1e6)],
  ["ms", (value) => duration(value * 1e3)],
  ["us", duration],
  ["ns", (value) => duration(value / 1e3)],
  ["min", (value) => duration(value * 60e6)],
  ["h", (value) => duration(value * 3600e6)],
  ["By", bytes],
  ["KiBy", (value) => bytes(value * 2 ** 10)],
  ["MiBy", (value) => bytes(value * 2 ** 20)],
  ["%", (value) => `${short(value)} %`],
]);

/**
 * Return a value with its unit; annotations such as `{request}` are words, not units.
 *
 * @param {number | null | undefined} value
 * @param {string} unit
 */
export function quantity(value, unit) {
  if (value === null || value === undefined) return "–";
  if (!Number.isFinite(value)) return String(value);
  const [top, ...below] = unit.split("/");
  const known = FORMATS.get(top);
  const shown = known ? known(value) : worded(value, top);
  return below.length ? `${shown}/${below.join("/")}` : shown;
}

/**
 * Return a unit as a word for a heading: `{request}` is `request`, `1` is nothing.
 *
 * @param {string} unit
 */
export const unitName = (unit) => (unit === "1" ? "" : unit.replace(/[{}]/g, ""));

/**
 * Return the unit of what a series holds: quantiles, gauges and up-down counters have the instrument's own, everything
 * else is its growth in a second. A histogram's growth is counted in recordings.
 *
 * @param {{unit: string, kind: string, rate: boolean}} about
 */
export function shownUnit({ unit, kind, rate }) {
  if (!rate) return unit;
  return kind.includes("histogram") || kind === "summary" ? "/s" : `${unit === "1" ? "" : unit}/s`;
}

/**
 * @param {number} value
 * @param {string} unit
 */
function worded(value, unit) {
  const plain = unit === "" || unit === "1" || unit.startsWith("{");
  return plain ? compact(value) : `${compact(value)} ${unit}`;
}
