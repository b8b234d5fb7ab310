/** The panel beside a list that shows what is chosen in it; on a phone it covers the lower part of the screen. */

import { fill, h } from "../dom.js";
import { icon } from "./icons.js";

/**
 * @param {string} label
 * @param {() => void} close  what the button does
 */
export function panel(label, close) {
  const title = h("h2", { class: "panel-title" });
  const body = h("div", { class: "panel-body", tabindex: "0", role: "group", "aria-label": label });
  const button = h("button", { class: "quiet", type: "button", "aria-label": "close", title: "close (Esc)", onclick: close }, icon("close"));
  const element = h("aside", { class: "panel", "aria-label": label, hidden: true }, h("header", {}, title, button), body);
  return {
    element,
    /**
     * @param {import("../dom.js").Child} heading
     * @param {import("../dom.js").Child} content
     */
    show(heading, content) {
      fill(title, heading);
      fill(body, content);
      body.scrollTop = 0;
      element.hidden = false;
    },
    hide: () => (element.hidden = true),
  };
}
