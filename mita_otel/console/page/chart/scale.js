/** From values to places in a picture, and the round values worth a tick. */

/**
 * @typedef {object} Scale
 * @property {(value: number) => number} place
 * @property {(place: number) => number} value   the other way round
 * @property {number[]} ticks
 */

/**
 * @param {[number, number]} domain
 * @param {[number, number]} range
 * @param {number[]} ticks
 * @returns {Scale}
 */
export function linear([low, high], [from, to], ticks) {
  const width = high - low || 1;
  return {
    place: (value) => from + ((value - low) / width) * (to - from),
    value: (place) => low + ((place - from) / (to - from || 1)) * width,
    ticks,
  };
}

/**
 * @param {[number, number]} domain  above zero
 * @param {[number, number]} range
 * @returns {Scale}
 */
export function logarithmic([low, high], range) {
  const first = Math.floor(Math.log10(low));
  const last = Math.max(first + 1, Math.ceil(Math.log10(high)));
  const even = linear([first, last], range, []);
  return {
    place: (value) => even.place(Math.log10(Math.max(value, 10 ** first))),
    value: (place) => 10 ** even.value(place),
    ticks: Array.from({ length: last - first + 1 }, (_, index) => 10 ** (first + index)),
  };
}

/**
 * Return a linear scale of durations (µs), or a logarithmic one if a linear one would press most of them together.
 *
 * @param {number[]} durations
 * @param {[number, number]} range
 */
export function spread(durations, range) {
  const low = durations.reduce((least, value) => Math.min(least, value), Infinity);
  const high = durations.reduce((most, value) => Math.max(most, value), 10);
  if (high / Math.max(low, 1) > 20) return logarithmic([Math.max(low, 1), high], range);
  return linear([0, high], range, [0, high / 2, high]);
}

/**
 * Return a scale from zero (or below) to a round number above everything, for at most about `wanted` ticks.
 *
 * @param {number[]} values
 * @param {[number, number]} range
 * @param {{wanted?: number, binary?: boolean}} [how]  `binary`: the round numbers are powers of two, as for bytes
 */
export function fromZero(values, range, { wanted = 4, binary = false } = {}) {
  const high = values.reduce((most, value) => Math.max(most, value), 0);
  const low = values.reduce((least, value) => Math.min(least, value), 0);
  const least = (high - low || 1) / wanted;
  const step = binary ? 2 ** Math.ceil(Math.log2(least)) : roundStep(least);
  const first = Math.floor(low / step);
  const last = Math.max(Math.ceil(high / step), first + 1);
  const ticks = Array.from({ length: last - first + 1 }, (_, index) => (first + index) * step);
  return linear([first * step, last * step], range, ticks);
}

/**
 * Return a scale of time (µs) whose ticks are round times of the viewer's clock.
 *
 * @param {[number, number]} domain
 * @param {[number, number]} range
 * @param {number} wanted  ticks
 */
export function timeline(domain, range, wanted) {
  const step = timeStep((domain[1] - domain[0]) / wanted);
  const offset = new Date(domain[0] / 1000).getTimezoneOffset() * 60e6;
  const ticks = [];
  for (let tick = Math.ceil((domain[0] - offset) / step) * step + offset; tick <= domain[1]; tick += step) ticks.push(tick);
  return linear(domain, range, ticks);
}

/**
 * Return the smallest of 1, 2, 5 times a power of ten that is not below `least`.
 *
 * @param {number} least
 */
export function roundStep(least) {
  const power = 10 ** Math.floor(Math.log10(least));
  const factor = [1, 2, 5, 10].find((item) => item * power >= least * (1 - 1e-9)) ?? 10;
  return factor * power;
}

const CLOCK_STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400];

/** @param {number} least  µs */
function timeStep(least) {
  const seconds = least / 1e6;
  if (seconds <= 1) return Math.max(1, roundStep(least));
  return (CLOCK_STEPS.find((step) => step >= seconds) ?? Math.ceil(seconds / 86400) * 86400) * 1e6;
}
