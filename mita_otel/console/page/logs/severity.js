/** Severity numbers of OpenTelemetry (1 to 24) as five levels. */

export const LEVELS = /** @type {const} */ ([
  ["", "any"],
  ["5", "debug"],
  ["9", "info"],
  ["13", "warn"],
  ["17", "error"],
  ["21", "fatal"],
]);

/**
 * Return the class of a severity number; 0 says that none was given.
 *
 * @param {number} severity
 */
export function levelOf(severity) {
  if (severity >= 21) return "fatal";
  if (severity >= 17) return "error";
  if (severity >= 13) return "warn";
  if (severity >= 9) return "info";
  return severity > 0 ? "debug" : "unset";
}

/** @param {{severity: number, severity_text: string}} record */
export const levelName = ({ severity, severity_text }) => (severity_text || (severity ? levelOf(severity) : "–")).toUpperCase();
