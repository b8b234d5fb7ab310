/** The traces found so far, each once. */

/** @typedef {import("../contract.js").TraceSummary} TraceSummary */

/** @type {Record<string, (one: TraceSummary, other: TraceSummary) => number>} */
const ORDERS = {
  newest: (one, other) => other.start - one.start,
  longest: (one, other) => other.duration - one.duration,
  largest: (one, other) => other.spans - one.spans,
  errors: (one, other) => other.errors - one.errors || other.start - one.start,
};

/** Return an empty finding; `next` is the cursor of what was not searched yet. */
export function finding() {
  /** @type {Map<string, TraceSummary>} */
  const traces = new Map();
  return {
    /** @type {string | null} */
    next: null,
    searchedTo: 0,
    /** Whether some were forgotten, so that `next` does not go on where the rest ends. */
    trimmed: false,
    get size() {
      return traces.size;
    },
    /** @param {string} id */
    has: (id) => traces.has(id),
    /**
     * Take traces in; the newer answer about the same trace counts. Return whether anything changed.
     *
     * @param {TraceSummary[]} answer
     */
    add(answer) {
      const fresh = answer.filter((trace) => JSON.stringify(traces.get(trace.traceID)) !== JSON.stringify(trace));
      for (const trace of fresh) traces.set(trace.traceID, trace);
      return fresh.length > 0;
    },
    /**
     * Forget the oldest beyond so many.
     *
     * @param {number} most
     */
    trim(most) {
      if (traces.size <= most) return;
      const kept = [...traces.values()].sort(ORDERS.newest).slice(0, most);
      traces.clear();
      for (const trace of kept) traces.set(trace.traceID, trace);
      this.trimmed = true;
      this.searchedTo = /** @type {TraceSummary} */ (kept.at(-1)).start;
    },
    /** @param {string} order */
    sorted: (order) => [...traces.values()].sort(ORDERS[order] ?? ORDERS.newest),
  };
}
