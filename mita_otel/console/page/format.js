/** Numbers, durations and times as people read them. Durations and times are in microseconds. */

const STEPS = /** @type {const} */ ([
  [1e6, "s"],
  [1e3, "ms"],
  [1, "µs"],
]);

/**
 * Return a number with about three significant digits, never in exponential form below a million.
 *
 * @param {number} value
 */
export function short(value) {
  const size = Math.abs(value);
  if (size >= 1000) return Math.round(value).toLocaleString("en-US");
  if (size === 0) return "0";
  if (size < 0.001) return value.toExponential(1);
  const digits = size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3;
  return String(Number(value.toFixed(digits)));
}

/** @param {number | null | undefined} us */
export function duration(us) {
  if (us === null || us === undefined) return "–";
  const size = Math.abs(us);
  if (size === 0) return "0";
  if (size >= 3_600e6) return `${Math.trunc(us / 3_600e6)} h ${Math.round((size % 3_600e6) / 60e6)} min`;
  if (size >= 60e6) return `${Math.trunc(us / 60e6)} min ${Math.round((size % 60e6) / 1e6)} s`;
  const [divisor, unit] = STEPS.find(([limit]) => size >= limit * 0.9995) ?? STEPS[2];
  return `${short(us / divisor)} ${unit}`;
}

/**
 * Return seconds as a phrase: `5 min`, `24 h`.
 *
 * @param {number} seconds
 */
export function span(seconds) {
  if (seconds % 3600 === 0) return `${seconds / 3600} h`;
  return seconds % 60 === 0 ? `${seconds / 60} min` : `${seconds} s`;
}

/** @param {number} value */
export const count = (value) => value.toLocaleString("en-US");

/**
 * `1 trace`, `2 traces`.
 *
 * @param {number} number
 * @param {string} thing
 */
export const counted = (number, thing) => `${count(number)} ${thing}${number === 1 ? "" : "s"}`;

/**
 * Return a large number in few characters: `1.2k`, `3.4M`.
 *
 * @param {number} value
 */
export function compact(value) {
  const size = Math.abs(value);
  if (size >= 1e9) return `${short(value / 1e9)}G`;
  if (size >= 1e6) return `${short(value / 1e6)}M`;
  return size >= 1e4 ? `${short(value / 1e3)}k` : short(value);
}

/** @param {number} ratio  0 to 1 */
export const percent = (ratio) => `${short(ratio * 100)} %`;

/** @param {number} perSecond */
export const rate = (perSecond) => `${short(perSecond)}/s`;

/** @param {number} value */
export function bytes(value) {
  const size = Math.abs(value);
  if (size >= 2 ** 30) return `${short(value / 2 ** 30)} GiB`;
  if (size >= 2 ** 20) return `${short(value / 2 ** 20)} MiB`;
  return size >= 2 ** 10 ? `${short(value / 2 ** 10)} KiB` : `${short(value)} B`;
}

/**
 * Return a time in the viewer's zone: the hour of the day, and the date as well if it is not today's.
 *
 * @param {number} us
 * @param {number} [digits]  of the second: 0 to 6
 */
export function clock(us, digits = 3) {
  const date = new Date(us / 1000);
  const time = [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(":");
  const fraction = digits ? `.${String(((us % 1e6) + 1e6) % 1e6).padStart(6, "0").slice(0, digits)}` : "";
  const today = date.toDateString() === new Date().toDateString();
  return `${today ? "" : `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} `}${time}${fraction}`;
}

/** @param {number} us */
export function utc(us) {
  const date = new Date(us / 1000);
  if (Number.isNaN(date.getTime())) return `${us} µs since 1970`;
  return `${date.toISOString().slice(0, 19).replace("T", " ")}.${String(((us % 1e6) + 1e6) % 1e6).padStart(6, "0")} UTC`;
}

/** @param {number} number */
const two = (number) => String(number).padStart(2, "0");

/**
 * Return any attribute or log body as text.
 *
 * @param {unknown} value
 */
export function text(value) {
  if (typeof value === "string") return value;
  return value === undefined ? "" : JSON.stringify(value);
}
