/** Asks the console. Each failure becomes a `Fault` whose message can be shown. */

const PATIENCE = 20_000; // ms
const MOST = 1000; // items of one answer

/** A request that failed; `away` says that nobody answered. */
export class Fault extends Error {
  /**
   * @param {string} message
   * @param {{status?: number, away?: boolean}} [about]
   */
  constructor(message, { status = 0, away = false } = {}) {
    super(message);
    this.name = "Fault";
    this.status = status;
    this.away = away;
  }
}

/**
 * Return the answer of `GET api/<path>?<query>`; what is empty or not given stays out of the query.
 *
 * @param {string} path
 * @param {Record<string, string | number | boolean | null | undefined>} query
 * @param {AbortSignal} signal
 * @returns {Promise<any>}
 * @throws {Fault}
 */
export async function get(path, query, signal) {
  const url = new URL(`api/${path}`, document.baseURI);
  for (const [key, value] of Object.entries(query)) {
    if (value !== "" && value !== null && value !== undefined && value !== false) url.searchParams.set(key, String(value));
  }
  const response = await ask(url, signal);
  const text = await response.text();
  if (!response.ok) throw new Fault(explain(response.status, text), { status: response.status });
  try {
    return read(text);
  } catch {
    throw new Fault("The console's answer is not JSON: is something else listening on this port?");
  }
}

/**
 * Yield answer after answer, each searching further back, until `limit` items are found or all is searched.
 *
 * @param {string} path
 * @param {Record<string, any>} query
 * @param {string} list   the key of the answer that holds the items
 * @param {number} limit
 * @param {AbortSignal} signal
 */
export async function* searchBack(path, query, list, limit, signal) {
  let before = query.before;
  let found = 0;
  do {
    const answer = await get(path, { ...query, before, limit: Math.min(limit - found, MOST) }, signal);
    found += answer[list].length;
    before = answer.next;
    yield answer;
  } while (before && found < limit);
}

/**
 * @param {URL} url
 * @param {AbortSignal} signal
 */
async function ask(url, signal) {
  try {
    return await fetch(url, { signal: AbortSignal.any([signal, AbortSignal.timeout(PATIENCE)]) });
  } catch (error) {
    if (signal.aborted) throw error;
    const late = /** @type {Error} */ (error).name === "TimeoutError";
    throw new Fault(late ? "The console took longer than 20 s to answer." : "The console does not answer.", { away: true });
  }
}

/**
 * Parse JSON; whole numbers that JavaScript cannot hold stay as they were written.
 *
 * @param {string} text
 */
export function read(text) {
  if (!/\d{17}/.test(text)) return JSON.parse(text);
  /** @type {(key: string, value: any, context?: {source?: string}) => any} */
  const exact = (_, value, context) =>
    Number.isInteger(value) && !Number.isSafeInteger(value) ? (context?.source ?? value) : value;
  return JSON.parse(text, /** @type {any} */ (exact));
}

/**
 * @param {number} status
 * @param {string} text
 */
function explain(status, text) {
  if (status === 401) return "The console wants its token: open the address that it printed when it started.";
  try {
    const { errors, message } = JSON.parse(text);
    return message ?? errors.map((/** @type {{msg: string}} */ error) => error.msg).join("; ");
  } catch {
    return `The console answered ${status}.`;
  }
}
