/** The lines of a waterfall: spans and the log records beside them, as far as they are not collapsed. */

/** @typedef {import("./model.js").Span} Span */
/** @typedef {import("../contract.js").LogRecord} LogRecord */
/** @typedef {{key: string, depth: number, span: Span, record: null, open: boolean}} SpanLine */
/** @typedef {{key: string, depth: number, span: null, record: LogRecord}} RecordLine */
/** @typedef {SpanLine | RecordLine} Line */

/**
 * Return the lines in the order of time within each parent.
 *
 * @param {import("./model.js").Trace} trace
 * @param {LogRecord[]} records   of the trace; none hides them
 * @param {ReadonlySet<string>} collapsed  ids of spans
 * @returns {Line[]}
 */
export function linesOf(trace, records, collapsed) {
  const bySpan = group(trace, records);
  /** @type {Line[]} */
  const lines = [];
  /** @type {{item: Span | LogRecord, depth: number}[]} */
  const waiting = merged(trace.roots, bySpan.get(null) ?? []).map((item) => ({ item, depth: 0 })).reverse();
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const { item, depth } = next;
    if (!isSpan(item)) {
      lines.push({ key: `log-${item.id}`, depth, span: null, record: item });
      continue;
    }
    const open = !collapsed.has(item.id);
    lines.push({ key: item.id, depth, span: item, record: null, open });
    if (open) for (const child of merged(item.children, bySpan.get(item.id) ?? []).reverse()) waiting.push({ item: child, depth: depth + 1 });
  }
  return lines;
}

/**
 * Whether a line has something to collapse.
 *
 * @param {Line} line
 * @param {ReadonlySet<string>} withRecords  ids of spans that have log records beside them
 */
export const foldable = (line, withRecords) => line.span !== null && (line.span.children.length > 0 || withRecords.has(line.span.id));

/**
 * Return the log records by the id of their span; `null` for those whose span is not there.
 *
 * @param {import("./model.js").Trace} trace
 * @param {LogRecord[]} records
 */
function group(trace, records) {
  /** @type {Map<string | null, LogRecord[]>} */
  const groups = new Map();
  for (const record of records) {
    const id = record.span_id && trace.spans.has(record.span_id) ? record.span_id : null;
    groups.set(id, [...(groups.get(id) ?? []), record]);
  }
  return groups;
}

/**
 * @param {Span[]} spans
 * @param {LogRecord[]} records
 * @returns {(Span | LogRecord)[]}
 */
function merged(spans, records) {
  if (!records.length) return [...spans];
  return [...spans, ...records].sort((one, other) => timeOf(one) - timeOf(other));
}

/** @param {Span | LogRecord} item */
const timeOf = (item) => (isSpan(item) ? item.start : item.time);

/**
 * @param {Span | LogRecord} item
 * @returns {item is Span}
 */
const isSpan = (item) => "children" in item;

/**
 * Return whether a line has a text in it: its names, its attributes, its message.
 *
 * @param {Line} line
 * @param {string} wanted  in lower case
 */
export function mentions(line, wanted) {
  const { span, record } = line;
  const parts = span
    ? [span.id, span.service, span.operation, span.kind, ...span.tags.map((tag) => `${tag.key}=${tag.value}`)]
    : [String(record.body), record.severity_text, ...Object.entries(record.attributes).map(([key, value]) => `${key}=${value}`)];
  return parts.some((part) => part.toLowerCase().includes(wanted));
}
