/** Attributes as a table; a long value is cut until somebody wants all of it. */

import { h } from "../dom.js";
import { count, text } from "../format.js";
import { address } from "../route.js";
import { icon } from "./icons.js";
import { writePairs } from "./pairs.js";

const CUT = 320; // characters
const FINDABLE = 200; // characters, the longest value that is worth a search

/**
 * Return a value as text, the beginning of it if it is long.
 *
 * @param {unknown} value
 */
export function value(value) {
  const whole = text(value);
  if (whole.length <= CUT) return h("span", { class: "value" }, whole);
  const shown = h("span", {}, `${whole.slice(0, CUT)}…`);
  const all = `show all ${count(whole.length)} characters`;
  const button = h("button", { class: "more", type: "button", "aria-expanded": "false", onclick: flip }, all);
  function flip() {
    const open = button.getAttribute("aria-expanded") !== "true";
    button.setAttribute("aria-expanded", String(open));
    button.textContent = open ? "show less" : all;
    shown.textContent = open ? whole : `${whole.slice(0, CUT)}…`;
  }
  return h("span", { class: "value" }, shown, " ", button);
}

/**
 * Return a table of attributes in alphabetical order.
 *
 * @param {Iterable<[string, unknown]>} entries
 * @param {string} caption    for those who do not see where it stands
 * @param {(key: string, value: unknown) => import("../dom.js").Child} [action]  what can be done with one of them
 */
export function attributes(entries, caption, action) {
  const sorted = [...entries].sort(([one], [other]) => (one < other ? -1 : 1));
  if (!sorted.length) return h("p", { class: "muted" }, "none");
  const rows = sorted.map(([key, item]) => h("tr", {}, h("th", { scope: "row" }, breakable(key)), h("td", {}, value(item), action?.(key, item))));
  return h("table", { class: "attributes" }, h("caption", { class: "unseen" }, caption), h("tbody", {}, rows));
}

/**
 * Return a name that may be broken after its dots and underscores.
 *
 * @param {string} name
 */
export const breakable = (name) => name.split(/(?<=[._])/).flatMap((part, index) => (index ? [h("wbr"), part] : [part]));

/**
 * Return a list of facts.
 *
 * @param {[string, import("../dom.js").Child][]} rows
 */
export const facts = (rows) => h("dl", { class: "facts" }, rows.map(([name, what]) => [h("dt", {}, name), h("dd", {}, what)]));

/**
 * Return what makes, for an attribute, a link to the search for it.
 *
 * @param {string} view
 * @param {string} field  of that view's query
 * @param {string} things
 */
export function finder(view, field, things) {
  return (/** @type {string} */ key, /** @type {unknown} */ given) => {
    const whole = text(given);
    if (whole.length > FINDABLE || /[\s="]/.test(key)) return null;
    const label = `${things} with ${key}=${whole}`;
    const href = address(view, "", { [field]: writePairs({ [key]: whole }) });
    return h("a", { class: "quiet find", href, title: label, "aria-label": label }, icon("find"));
  };
}

/**
 * Return a section that can be closed.
 *
 * @param {string} title
 * @param {import("../dom.js").Child} content
 * @param {{open?: boolean, number?: number}} [how]
 */
export function section(title, content, { open = true, number } = {}) {
  const badge = number === undefined ? null : h("span", { class: "badge" }, count(number));
  return h("details", { class: "section", open }, h("summary", {}, title, badge), content);
}

/**
 * Return a button that copies a text.
 *
 * @param {string} whole
 * @param {string} what
 */
export function copy(whole, what) {
  const button = h("button", { class: "quiet", type: "button", title: `copy ${what}`, "aria-label": `copy ${what}`, onclick: press }, icon("copy"));
  async function press() {
    await navigator.clipboard.writeText(whole);
    button.replaceChildren(icon("done"));
    setTimeout(() => button.replaceChildren(icon("copy")), 1500);
  }
  return button;
}
