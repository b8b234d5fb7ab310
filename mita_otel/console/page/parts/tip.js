/** The small box beside the pointer that says what it points at; what it says is in the page's text, too. */

import { fill, h } from "../dom.js";

const box = h("div", { class: "tip", hidden: true, "aria-hidden": "true" });

/**
 * @param {{clientX: number, clientY: number}} at
 * @param {...import("../dom.js").Child} children
 */
export function showTip({ clientX, clientY }, ...children) {
  if (!box.isConnected) document.body.append(box);
  fill(box, children);
  box.hidden = false;
  const left = clientX + 14 + box.offsetWidth > innerWidth ? clientX - 14 - box.offsetWidth : clientX + 14;
  const top = Math.min(clientY + 12, innerHeight - box.offsetHeight - 8);
  box.style.setProperty("transform", `translate(${Math.max(4, left)}px, ${Math.max(4, top)}px)`);
}

export const hideTip = () => (box.hidden = true);
