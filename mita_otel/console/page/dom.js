/** Builds elements. Text is only ever set as text, so that nothing that came in by OTLP is parsed as HTML. */

const SVG = "http://www.w3.org/2000/svg";
const PROPERTIES = new Set(["value", "checked", "selected", "tabIndex"]);

/** @typedef {Node | string | number | null | undefined | false | readonly any[]} Child */

/**
 * Return a new element; `svg:path` is one of SVG.
 *
 * Properties: a function is a listener (`onclick`), `style` and `data` are objects, `true` is an attribute without a
 * value, and `false`, `null` or `undefined` are none.
 *
 * @param {string} name
 * @param {Record<string, any>} [properties]
 * @param {...Child} children
 * @returns {any}
 */
export function h(name, properties = {}, ...children) {
  const node = name.startsWith("svg:") ? document.createElementNS(SVG, name.slice(4)) : document.createElement(name);
  for (const [key, value] of Object.entries(properties)) assign(/** @type {HTMLElement} */ (node), key, value);
  append(node, children);
  return node;
}

/**
 * Replace what a node holds.
 *
 * @param {Element} node
 * @param {...Child} children
 */
export function fill(node, ...children) {
  node.replaceChildren();
  append(node, children);
}

/**
 * @param {HTMLElement} node
 * @param {string} key
 * @param {any} value
 */
function assign(node, key, value) {
  if (value === undefined || value === null || value === false) return;
  if (typeof value === "function") node.addEventListener(key.slice(2), value);
  else if (key === "data") Object.assign(node.dataset, value);
  else if (key === "style") for (const [name, item] of Object.entries(value)) node.style.setProperty(name, item);
  else if (PROPERTIES.has(key)) /** @type {any} */ (node)[key] = value;
  else if (key === "href" && !String(value).startsWith("#")) throw new Error("links lead to views of this page only");
  else node.setAttribute(key, value === true ? "" : String(value));
}

/**
 * @param {Node} node
 * @param {readonly Child[]} children
 */
function append(node, children) {
  for (const child of children) {
    if (Array.isArray(child)) append(node, child);
    else if (child instanceof Node) node.appendChild(child);
    else if (child !== null && child !== undefined && child !== false) node.appendChild(new Text(String(child)));
  }
}
