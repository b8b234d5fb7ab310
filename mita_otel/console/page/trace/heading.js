/** What stands above the waterfall: whose trace it is, its size, and what is shown of it. */

import { fill, h } from "../dom.js";
import { counted, duration } from "../format.js";
import { moment } from "../parts/moment.js";
import { service } from "../parts/service.js";
import { copy } from "../parts/value.js";
import { changed, go, listOf } from "../route.js";

/** @typedef {import("./model.js").Trace} Trace */

/**
 * @param {Element} place
 * @param {Trace} trace
 * @param {number} records
 */
export function showHeading(place, trace, records) {
  const [root] = trace.roots;
  const sizes = [
    counted(trace.spans.size, "span"),
    counted(trace.services.length, "service"),
    `${trace.depth} deep`,
    counted(records, "log line"),
  ];
  fill(
    place,
    h(
      "div",
      { class: "trace-title" },
      h("a", { class: "back", href: listOf("traces"), title: "back to the search (Esc)" }, "← Traces"),
      h("h1", { tabIndex: -1 }, service(root?.service ?? ""), h("span", { class: "heading-operation" }, root?.operation ?? "")),
      trace.failed > 0 && h("span", { class: "errors" }, h("span", { class: "glyph", "aria-hidden": "true" }, "!"), counted(trace.failed, "error")),
    ),
    h(
      "p",
      { class: "trace-facts" },
      h("strong", {}, duration(trace.end - trace.start)),
      h("span", {}, moment(trace.start)),
      sizes.map((size) => h("span", {}, size)),
      h("span", {}, h("code", {}, trace.id), copy(trace.id, "the trace's id")),
    ),
    h("ul", { class: "legend", "aria-label": "Services" }, trace.services.map(({ name, spans }) => h("li", {}, service(name, h("b", {}, spans))))),
  );
}

/**
 * Return the controls; they change the address.
 *
 * @param {{foldAll: (all: boolean) => void, next: () => void}} actions
 */
export function toolbar({ foldAll, next }) {
  const find = h("input", { type: "search", name: "q", "aria-label": "Find in this trace", placeholder: "find in this trace", "aria-keyshortcuts": "/", autocomplete: "off", spellcheck: "false" });
  const found = h("span", { class: "muted", role: "status" });
  const logs = toggle("Logs", "logs");
  const path = toggle("Critical path", "path");
  const out = h("button", { class: "button", type: "button", title: "show the whole trace (z)", onclick: () => go(changed({ zoom: "" })) }, "Zoom out");
  const form = h("form", { class: "find-form", role: "search", onsubmit: submit }, find, found);
  find.addEventListener("input", () => go(changed({ q: find.value }), { replace: true }));
  /** @param {Event} event */
  function submit(event) {
    event.preventDefault();
    next();
  }
  const element = h(
    "div",
    { class: "toolbar" },
    form,
    logs,
    path,
    h("button", { class: "button", type: "button", onclick: () => foldAll(true) }, h("span", {}, "Collapse", h("span", { class: "long" }, " all"))),
    h("button", { class: "button", type: "button", onclick: () => foldAll(false) }, h("span", {}, "Expand", h("span", { class: "long" }, " all"))),
    out,
  );
  return {
    element,
    find,
    /**
     * @param {import("../route.js").Query} query
     * @param {number | null} matches
     */
    show(query, matches) {
      if (find !== document.activeElement) find.value = query.q ?? "";
      found.textContent = matches === null ? "" : counted(matches, "line");
      logs.setAttribute("aria-pressed", String(query.logs !== "0"));
      path.setAttribute("aria-pressed", String(query.path !== "0"));
      out.hidden = !query.zoom;
    },
  };
}

/**
 * @param {string} label
 * @param {string} key  of the query; "0" is off
 */
function toggle(label, key) {
  const button = h("button", { class: "button toggle", type: "button", onclick: flip }, h("span", { class: `sample ${key}`, "aria-hidden": "true" }), label);
  function flip() {
    go(changed({ [key]: button.getAttribute("aria-pressed") === "true" ? "0" : "" }));
  }
  return button;
}
