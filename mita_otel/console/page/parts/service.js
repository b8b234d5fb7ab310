/** A service's name with its colour. */

import { colourOf } from "../colours.js";
import { h } from "../dom.js";

/** @param {string} name */
export const swatch = (name) => h("span", { class: "swatch", "aria-hidden": "true", style: { background: colourOf(name) } });

/**
 * @param {string} name
 * @param {...import("../dom.js").Child} more
 */
export const service = (name, ...more) => h("span", { class: "service" }, swatch(name), h("span", { class: "service-name" }, name || "(no name)"), more);
