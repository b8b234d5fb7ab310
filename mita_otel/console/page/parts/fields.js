/** Fields of the filter forms. A form's state is the address's query: a change goes there and comes back from there. */

import { h } from "../dom.js";
import { changed, go } from "../route.js";

export const LOOKBACKS = /** @type {const} */ ([
  ["300", "last 5 min"],
  ["900", "last 15 min"],
  ["3600", "last hour"],
  ["10800", "last 3 h"],
  ["43200", "last 12 h"],
  ["86400", "last 24 h"],
  ["0", "everything"],
]);

/**
 * @param {string} label
 * @param {HTMLElement} control
 * @param {string} [kind]  a class of the style sheet
 */
export function field(label, control, kind = "") {
  control.id = `field-${++fields}`;
  return h("div", { class: `field ${kind}` }, h("label", { for: control.id }, label), control);
}

let fields = 0;

/**
 * @param {string} name
 * @param {Record<string, any>} [properties]
 * @returns {HTMLInputElement}
 */
export function input(name, properties = {}) {
  return h("input", { name, type: "text", autocomplete: "off", autocapitalize: "off", spellcheck: "false", ...properties });
}

/**
 * @param {string} name
 * @param {readonly (readonly [string, string])[]} options  value and label
 * @returns {HTMLSelectElement}
 */
export function select(name, options) {
  const node = h("select", { name });
  setOptions(node, options);
  return node;
}

/**
 * Replace the options and keep what is chosen, even if it is not among them.
 *
 * @param {HTMLSelectElement} node
 * @param {readonly (readonly [string, string])[]} options
 */
export function setOptions(node, options) {
  const chosen = node.value;
  node.replaceChildren(...options.map(([value, label]) => h("option", { value }, label)));
  if (chosen) choose(node, chosen);
}

/**
 * @param {string} name
 * @param {string} label
 */
export const check = (name, label) => h("label", { class: "check" }, h("input", { name, type: "checkbox", value: "1" }), h("span", {}, label));

/**
 * Return a form whose fields are keys of the address's query; Enter or leaving a field takes effect.
 *
 * @param {string} label
 * @param {...import("../dom.js").Child} children
 * @returns {HTMLFormElement}
 */
export function filters(label, ...children) {
  const form = h("form", { class: "filters", role: "search", "aria-label": label, onchange: apply, onsubmit: apply }, children);
  if (form.querySelector(".wide")) form.append(unfold(form)); // on a phone the others wait behind a button
  /** @param {Event} event */
  function apply(event) {
    if (event.type === "submit") event.preventDefault();
    /** @type {Record<string, string>} */
    const query = {};
    for (const control of controlsOf(form)) query[control.name] = valueOf(control);
    go(changed(query));
  }
  return form;
}

/** @param {HTMLFormElement} form */
function unfold(form) {
  const flip = () => button.setAttribute("aria-expanded", String(form.classList.toggle("unfolded")));
  const button = h("button", { class: "button unfold", type: "button", "aria-expanded": "false", onclick: flip }, "All filters");
  return button;
}

/**
 * Show a query in a form; `defaults` stand for what the query does not have, and stay out of the address.
 *
 * @param {HTMLFormElement} form
 * @param {Record<string, string>} query
 */
export function showQuery(form, query) {
  for (const control of controlsOf(form)) {
    const value = query[control.name] ?? control.dataset.default ?? "";
    if (control instanceof HTMLSelectElement) choose(control, value);
    else if (control.type === "checkbox") control.checked = value === control.value;
    else if (control !== document.activeElement || control.value !== value) control.value = value;
  }
}

/**
 * @param {HTMLFormElement} form
 * @param {string} name  of the field
 */
export const focusOn = (form, name) => /** @type {HTMLElement} */ (form.elements.namedItem(name)).focus();

/** @param {HTMLFormElement} form */
const controlsOf = (form) =>
  /** @type {(HTMLInputElement | HTMLSelectElement)[]} */ ([...form.elements]).filter((control) => control.name);

/** @param {HTMLInputElement | HTMLSelectElement} control */
function valueOf(control) {
  if (control instanceof HTMLInputElement && control.type === "checkbox") return control.checked ? control.value : "";
  const value = control.value.trim();
  return value === (control.dataset.default ?? "") ? "" : value;
}

/**
 * @param {HTMLSelectElement} node
 * @param {string} value
 */
function choose(node, value) {
  if (value && ![...node.options].some((option) => option.value === value)) node.append(h("option", { value }, value));
  node.value = value;
}
