/** What stands around every view: the tabs, the theme, the keys, and the state of the console in the footer. */

import { get } from "./api.js";
import { fill, h } from "./dom.js";
import { bytes, compact, count, span } from "./format.js";
import { showKeys } from "./keys.js";
import { every } from "./live.js";
import { BACK } from "./parts/fault.js";
import { icon } from "./parts/icons.js";
import { address } from "./route.js";
import { shown, toggle } from "./theme.js";

const LOOK = 3000; // ms

/**
 * Build the header; return what marks the tab of a view.
 *
 * @param {import("./views.js").View[]} views
 */
export function buildHeader(views) {
  const tabs = views.map(({ id, title }, index) => h("a", { href: address(id), data: { view: id }, "aria-keyshortcuts": String(index + 1) }, title));
  const theme = h("button", { class: "quiet", type: "button", onclick: flip });
  const keys = h("button", { class: "quiet", type: "button", title: "keys (?)", "aria-label": "keys", onclick: showKeys }, "?");
  const named = () => {
    const other = shown() === "dark" ? "light" : "dark";
    theme.replaceChildren(icon(other === "dark" ? "moon" : "sun"));
    theme.title = `${other} theme (t)`;
    theme.setAttribute("aria-label", `${other} theme`);
  };
  function flip() {
    toggle();
    named();
  }
  named();
  document.querySelector(".skip")?.addEventListener("click", (event) => {
    event.preventDefault(); // its address would be taken for a view's
    document.getElementById("main")?.focus();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", named);
  fill(/** @type {Element} */ (document.getElementById("tabs")), tabs);
  fill(/** @type {Element} */ (document.getElementById("tools")), theme, keys);
  return {
    flip,
    /** @param {string} id */
    mark(id) {
      for (const tab of tabs) {
        if (tab.dataset.view === id) tab.setAttribute("aria-current", "page");
        else tab.removeAttribute("aria-current");
      }
    },
  };
}

/** Keep the footer true, and tell everybody when a console that was away answers again. */
export function watchConsole() {
  const place = /** @type {Element} */ (document.getElementById("status"));
  const forever = new AbortController().signal;
  let away = false;
  async function look() {
    try {
      const status = await get("console/status", {}, forever);
      fill(place, sizes(status));
      if (away) dispatchEvent(new Event(BACK));
      away = false;
    } catch {
      if (!away) fill(place, h("span", { class: "errors" }, "the console does not answer"));
      away = true;
    }
  }
  void look();
  void every(LOOK, look, forever);
}

/** @param {import("./contract.js").Status} status */
function sizes(status) {
  const losses = Object.entries(status.counters).filter(([name, number]) => number > 0 && !name.includes("received"));
  return [
    h("span", {}, `${compact(status.spans)} spans, ${compact(status.records)} log lines, ${compact(status.points)} points`),
    h("span", {}, `${bytes(status.size)} of ${bytes(status.max_size)}, kept ${span(status.max_age)}`),
    losses.map(([name, number]) => h("span", { class: "loss" }, `${count(number)} ${name.replaceAll(/[._]/g, " ")}`)),
    h("span", {}, `mita_otel ${status.version}`),
  ];
}
