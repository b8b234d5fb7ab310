/** Stretches of time up to now, as the console's questions about services name them. */

export const WINDOWS = /** @type {const} */ ([
  ["5m", "last 5 min", 300],
  ["15m", "last 15 min", 900],
  ["1h", "last hour", 3600],
  ["6h", "last 6 h", 21600],
  ["24h", "last 24 h", 86400],
]);

/**
 * Return how long a window is, in seconds.
 *
 * @param {string} name
 */
export const secondsOf = (name) => WINDOWS.find(([value]) => value === name)?.[2] ?? 900;

/** The windows as options of a field. */
export const OFFERED = WINDOWS.map(([value, label]) => /** @type {const} */ ([value, label]));
