/** A trace as a tree of spans, made from the console's answer. */

/** @typedef {import("../contract.js").TraceAnswer} TraceAnswer */
/** @typedef {import("../contract.js").JaegerSpan} JaegerSpan */
/** @typedef {import("../contract.js").Tag} Tag */

/**
 * @typedef {object} Span
 * @property {string} id
 * @property {string | null} parent      also of one that is missing
 * @property {string} service
 * @property {string} operation
 * @property {string} kind
 * @property {string} target             of a call: who is called, if its name does not say so
 * @property {number} start
 * @property {number} duration
 * @property {boolean} failed
 * @property {Span[]} children           by start
 * @property {number} below              descendants
 * @property {number} failedBelow        descendants that failed
 * @property {[number, number][]} critical  its sections on the critical path
 * @property {boolean} orphan            its parent is missing
 * @property {Tag[]} tags
 * @property {{timestamp: number, fields: Tag[]}[]} events
 * @property {{traceID: string, spanID: string}[]} links
 * @property {string[]} warnings
 * @property {Tag[]} process
 *
 * @typedef {object} Trace
 * @property {string} id
 * @property {Span[]} roots
 * @property {Map<string, Span>} spans   by id, parents before children
 * @property {number} start
 * @property {number} end
 * @property {{name: string, spans: number, failed: number}[]} services  most spans first
 * @property {number} failed
 * @property {number} depth
 * @property {number} duplicates
 * @property {string[]} missing
 * @property {string[]} warnings
 * @property {(import("../contract.js").TraceExemplar & {unit: string})[]} exemplars  those of the SDK itself last
 */

/**
 * @param {TraceAnswer} answer
 * @param {Map<string, string>} [units]  by the name of the instrument
 * @returns {Trace}
 */
export function readTrace({ trace, critical_path, duplicates, missing_parents, exemplars }, units = new Map()) {
  const missing = new Set(missing_parents);
  const spans = new Map(trace.spans.map((span) => [span.spanID, readSpan(span, trace)]));
  for (const { spanID, start, end } of critical_path) spans.get(spanID)?.critical.push([start, end]);
  const roots = plant(spans);
  for (const span of roots) span.orphan = span.parent !== null && (missing.has(span.parent) || !spans.has(span.parent));
  const { ordered, depth } = inOrder(roots);
  countBelow(ordered);
  return {
    id: trace.traceID,
    roots,
    spans: new Map(ordered.map((span) => [span.id, span])),
    start: ordered.reduce((least, span) => Math.min(least, span.start), Infinity),
    end: ordered.reduce((most, span) => Math.max(most, span.start + span.duration), -Infinity),
    services: countServices(ordered),
    failed: ordered.filter((span) => span.failed).length,
    depth,
    duplicates,
    missing: [...missing],
    warnings: trace.warnings ?? [],
    exemplars: exemplars
      .map((exemplar) => ({ ...exemplar, unit: units.get(exemplar.instrument) ?? "" }))
      .sort((one, other) => Number(isOwn(one)) - Number(isOwn(other))),
  };
}

/** @param {{instrument: string}} exemplar */
const isOwn = ({ instrument }) => instrument.startsWith("otel.sdk.");

/**
 * @param {JaegerSpan} span
 * @param {import("../contract.js").JaegerTrace} trace
 * @returns {Span}
 */
function readSpan(span, trace) {
  const tags = span.tags ?? [];
  const tag = (/** @type {string} */ key) => tags.find((item) => item.key === key)?.value;
  const references = span.references ?? [];
  const parent = references.find((one) => one.refType === "CHILD_OF" && one.traceID === trace.traceID);
  const process = trace.processes[span.processID];
  return {
    id: span.spanID,
    parent: parent?.spanID ?? null,
    service: process?.serviceName ?? "",
    operation: span.operationName,
    kind: String(tag("span.kind") ?? "internal"),
    target: targetOf(span.operationName, tag),
    start: span.startTime,
    duration: span.duration,
    failed: tag("error") === true || tag("error") === "true" || tag("otel.status_code") === "ERROR",
    children: [],
    below: 0,
    failedBelow: 0,
    critical: [],
    orphan: false,
    tags,
    events: span.logs ?? [],
    links: references.filter((one) => one !== parent),
    warnings: span.warnings ?? [],
    process: process?.tags ?? [],
  };
}

/**
 * Return whom a call is for: a database, a topic, or a URL without its scheme and query.
 *
 * @param {string} operation
 * @param {(key: string) => unknown} tag
 */
function targetOf(operation, tag) {
  if (tag("span.kind") !== "client" && tag("span.kind") !== "producer") return "";
  const url = String(tag("url.full") ?? "").replace(/^\w+:\/\/|[?#].*/g, "");
  const target = String(url || (tag("db.system.name") ?? tag("messaging.destination.name") ?? tag("server.address") ?? ""));
  return operation.includes(target) ? "" : target;
}

/**
 * Give each span its children and return those without a parent. Of spans that are one another's ancestors, the
 * earliest becomes a root.
 *
 * @param {Map<string, Span>} spans
 */
function plant(spans) {
  const byStart = [...spans.values()].sort((one, other) => one.start - other.start);
  const roots = [];
  for (const span of byStart) {
    const parent = span.parent === null ? undefined : spans.get(span.parent);
    if (parent && parent !== span) parent.children.push(span);
    else roots.push(span);
  }
  const reached = new Set(inOrder(roots).ordered);
  for (const span of byStart) {
    if (reached.has(span)) continue;
    const parent = /** @type {Span} */ (spans.get(/** @type {string} */ (span.parent)));
    parent.children.splice(parent.children.indexOf(span), 1);
    roots.push(span);
    for (const found of inOrder([span]).ordered) reached.add(found);
  }
  return roots;
}

/**
 * Return all spans, parents before children, and the number of levels; without recursion, for a chain may be long.
 *
 * @param {Span[]} roots
 */
function inOrder(roots) {
  /** @type {Span[]} */
  const ordered = [];
  let depth = 0;
  /** @type {[Span, number][]} */
  const waiting = roots.toReversed().map((span) => [span, 1]);
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const [span, level] = next;
    ordered.push(span);
    depth = Math.max(depth, level);
    for (let index = span.children.length - 1; index >= 0; index--) waiting.push([span.children[index], level + 1]);
  }
  return { ordered, depth };
}

/** @param {Span[]} ordered  parents before children */
function countBelow(ordered) {
  for (const span of ordered.toReversed()) {
    for (const child of span.children) {
      span.below += child.below + 1;
      span.failedBelow += child.failedBelow + Number(child.failed);
    }
  }
}

/** @param {Span[]} spans */
function countServices(spans) {
  /** @type {Map<string, {name: string, spans: number, failed: number}>} */
  const services = new Map();
  for (const { service, failed } of spans) {
    const row = services.get(service) ?? { name: service, spans: 0, failed: 0 };
    services.set(service, { name: service, spans: row.spans + 1, failed: row.failed + Number(failed) });
  }
  return [...services.values()].sort((one, other) => other.spans - one.spans);
}

/**
 * Return the time of a span that none of its children covers, in µs.
 *
 * @param {Span} span
 */
export function selfTime(span) {
  const end = span.start + span.duration;
  let covered = 0;
  let reached = span.start;
  for (const child of span.children) {
    const from = Math.max(child.start, reached);
    const to = Math.min(child.start + child.duration, end);
    if (to > from) covered += to - from;
    reached = Math.max(reached, to);
  }
  return span.duration - covered;
}
