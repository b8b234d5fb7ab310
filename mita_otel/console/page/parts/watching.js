/** A view of what services are like now: filters, figures that stay true, and a panel about what is chosen of them. */

import { fill, h } from "../dom.js";
import { bind } from "../keys.js";
import { every } from "../live.js";
import { changed, go } from "../route.js";
import { ANY, offer } from "./asking.js";
import { attempt } from "./fault.js";
import { field, filters, select, showQuery } from "./fields.js";
import { liveButton } from "./live_button.js";
import { panel } from "./panel.js";
import { keepingFocus, walk } from "./rows.js";
import { OFFERED, secondsOf } from "./windows.js";

const LOOK = 5000; // ms

/** @typedef {{service: string | undefined, window: string}} Asked */
/** @typedef {[number, number]} Span  µs */
/** @typedef {{heading: import("../dom.js").Child, content: import("../dom.js").Child}} Details */

/**
 * @template Answer
 * @typedef {object} Watched
 * @property {string} title
 * @property {string} usual                                                      window
 * @property {(asked: Asked, signal: AbortSignal) => Promise<Answer>} ask
 * @property {(answer: Answer, span: Span, chosen: string) => import("../dom.js").Child} show
 * @property {(answer: Answer, span: Span, chosen: string) => Details | null} tell  what the panel says of the thing with this key
 */

/**
 * Return the key of a thing, as the address keeps the chosen one and as its row is known by.
 *
 * @param {...string} parts
 */
export const keyOf = (...parts) => parts.map(encodeURIComponent).join("/");

/**
 * Return the link that chooses a thing.
 *
 * @param {string} key
 * @param {string} chosen
 * @param {...import("../dom.js").Child} children
 */
export const choice = (key, chosen, ...children) =>
  h("a", { href: changed({ chosen: key }), data: { row: key }, "aria-current": key === chosen ? "true" : null }, children);

/**
 * @template Answer
 * @param {Watched<Answer>} watched
 * @returns {import("../views.js").Open}
 */
export const watching = ({ title, usual, ask, show, tell }) =>
  function open(place, route, signal) {
    let query = route.query;
    /** @type {{answer: Answer, span: Span} | null} */
    let known = null;
    let asked = "";
    let told = ""; // what the panel shows
    const window = select("window", OFFERED);
    window.dataset.default = usual;
    const form = filters(title, field("Service", select("service", [ANY])), field("Time", window));
    const live = liveButton("figures");
    const fault = h("div", { class: "slot" });
    const content = h("div", { class: "scroll watched", tabindex: "0", role: "group", "aria-label": title });
    const close = () => go(changed({ chosen: "" }));
    const side = panel(`Of ${title}`, close);
    fill(place, h("div", { class: "bar spread" }, h("header", { class: "service-heading" }, h("h1", { tabIndex: -1 }, title)), form, live.element), fault, h("div", { class: "split" }, content, side.element));

    async function load() {
      const wanted = { service: query.service, window: query.window ?? usual };
      asked = JSON.stringify(wanted);
      const answer = await ask(wanted, signal);
      if (asked !== JSON.stringify(wanted)) return; // something else was asked in the meantime
      const now = Date.now() * 1000;
      known = { answer, span: [now - secondsOf(wanted.window) * 1e6, now] };
      render();
    }

    function render() {
      if (!known) return;
      const { answer, span } = known;
      const chosen = query.chosen ?? "";
      keepingFocus(content, () => fill(content, show(answer, span, chosen)));
      const details = chosen ? tell(answer, span, chosen) : null;
      if (!details) side.hide();
      else if (told !== chosen || !side.element.matches(":hover, :focus-within")) side.show(details.heading, details.content);
      told = details ? chosen : "";
    }

    const start = () => void attempt(fault, load, signal);

    /** @param {import("../route.js").Route} route */
    function update(route) {
      const before = JSON.stringify([query.service, query.window]);
      query = route.query;
      showQuery(form, query);
      void offer(form, "service", "services", signal);
      live.show(query);
      if (known && before === JSON.stringify([query.service, query.window])) render();
      else start();
    }

    walk(content, signal);
    bind({ r: start, p: live.flip, Escape: () => (query.chosen ? close() : false) }, signal);
    void every(LOOK, async () => live.paused || fault.firstChild || content.querySelector("svg:hover") || load(), signal);
    update(route);
    return { update };
  };
