/** A table of figures that scrolls by itself where it is wider than the page. */

import { h } from "../dom.js";

/** @typedef {string | {number: string}} Head  `number`: of a column whose values stand to the right */

/**
 * @param {string} caption
 * @param {Head[]} heads                             an empty one is of a column without a name
 * @param {import("../dom.js").Child[]} rows         the cells of each
 */
export function table(caption, heads, rows) {
  const head = heads.map((name) => (typeof name === "string" ? name && h("th", { scope: "col" }, name) : h("th", { scope: "col", class: "number" }, name.number)) || h("td", {}));
  const content = h("table", { class: "data" }, h("caption", { class: "unseen" }, caption), h("thead", {}, h("tr", {}, head)), h("tbody", {}, rows.map((row) => h("tr", {}, row))));
  return h("div", { class: "wide-table", tabindex: "0", role: "group", "aria-label": caption }, content);
}

/** @param {...import("../dom.js").Child} children */
export const cell = (...children) => h("td", {}, children);

/** @param {...import("../dom.js").Child} children */
export const number = (...children) => h("td", { class: "number" }, children);
