/** The button that stops and starts a live view; the address keeps it as `live=0`. */

import { fill, h } from "../dom.js";
import { changed, go } from "../route.js";

/** @param {string} things  what is shown as it comes */
export function liveButton(things) {
  let paused = false;
  const flip = () => go(changed({ live: paused ? "" : "0" }));
  const element = h("button", { class: "button live", type: "button", onclick: flip });
  return {
    element,
    flip,
    get paused() {
      return paused;
    },
    /** @param {import("../route.js").Query} query */
    show(query) {
      paused = query.live === "0";
      fill(element, h("span", { class: "pulse", "aria-hidden": "true" }), paused ? "Paused" : "Live");
      element.setAttribute("aria-pressed", String(!paused));
      element.title = paused ? `show new ${things} as they come (p)` : `stop showing new ${things} (p)`;
    },
  };
}
