/** Small pictures for buttons that have no room for a word; their buttons carry the word as a label. */

import { h } from "../dom.js";

const PATHS = /** @type {const} */ ({
  copy: "M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3",
  done: "M3 8.5l3.5 3.5L13 5",
  find: "M7 2.5a4.5 4.5 0 1 1 0 9a4.5 4.5 0 1 1 0-9M10.5 10.5L14 14",
  close: "M3.5 3.5l9 9M12.5 3.5l-9 9",
  moon: "M13 9.6A5.6 5.6 0 1 1 6.4 3a4.5 4.5 0 0 0 6.6 6.6z",
  sun: "M8 5a3 3 0 1 1 0 6a3 3 0 1 1 0-6M8 1v1.6M8 13.4V15M1 8h1.6M13.4 8H15M3 3l1.2 1.2M11.8 11.8L13 13M13 3l-1.2 1.2M4.2 11.8L3 13",
});

/** @param {keyof typeof PATHS} name */
export const icon = (name) =>
  h("svg:svg", { class: "icon", viewBox: "0 0 16 16", width: 14, height: 14, "aria-hidden": "true" }, h("svg:path", { d: PATHS[name] }));
