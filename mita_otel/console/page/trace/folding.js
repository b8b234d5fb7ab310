/** Which spans are collapsed, as a short text of the address: the ids, or `*` and the ids of those that are not. */

/**
 * @param {string} written
 * @param {import("./model.js").Trace} trace
 * @param {ReadonlySet<string>} withRecords  ids of spans that have log records beside them
 * @returns {Set<string>}
 */
export function readFolded(written, trace, withRecords) {
  const listed = written.replace(/^\*/, "").split(",").filter(Boolean);
  if (!written.startsWith("*")) return new Set(listed);
  const except = new Set([...listed, ...trace.roots.map((span) => span.id)]);
  const foldable = [...trace.spans.values()].filter((span) => span.children.length > 0 || withRecords.has(span.id));
  return new Set(foldable.map((span) => span.id).filter((id) => !except.has(id)));
}

/**
 * Return the text with one span the other way round.
 *
 * @param {string} written
 * @param {string} id
 */
export function flipFolded(written, id) {
  const all = written.startsWith("*");
  const listed = written.replace(/^\*/, "").split(",").filter(Boolean);
  const rest = listed.includes(id) ? listed.filter((item) => item !== id) : [...listed, id];
  return (all ? "*" : "") + rest.join(",");
}
