/** The times above the waterfall; dragging over them zooms. */

import { fill, h } from "../dom.js";
import { duration } from "../format.js";

const TICKS = 4;

/** @param {(window: [number, number]) => void} zoom */
export function ruler(zoom) {
  const marks = h("div", { class: "ruler-marks" });
  const band = h("div", { class: "ruler-band", hidden: true });
  const scale = h("div", { class: "ruler-scale", title: "drag to zoom" }, marks, band);
  const element = h("div", { class: "ruler", "aria-hidden": "true" }, h("div", { class: "ruler-name" }, "Service and operation"), scale);
  /** @type {[number, number]} */
  let shown = [0, 1];
  /** @type {number | null} */
  let from = null;

  /** @param {PointerEvent} event */
  const placeOf = (event) => {
    const box = scale.getBoundingClientRect();
    return Math.min(1, Math.max(0, (event.clientX - box.left) / box.width));
  };
  /** @param {PointerEvent} event */
  const ends = (event) => [from ?? 0, placeOf(event)].sort((one, other) => one - other);

  scale.addEventListener("pointerdown", (/** @type {PointerEvent} */ event) => {
    from = placeOf(event);
    scale.setPointerCapture(event.pointerId);
  });
  scale.addEventListener("pointermove", (/** @type {PointerEvent} */ event) => {
    if (from === null) return;
    const [low, high] = ends(event);
    band.hidden = high - low < 0.01;
    band.style.setProperty("left", `${low * 100}%`);
    band.style.setProperty("width", `${(high - low) * 100}%`);
  });
  scale.addEventListener("pointerup", (/** @type {PointerEvent} */ event) => {
    const [low, high] = ends(event);
    from = null;
    band.hidden = true;
    const length = shown[1] - shown[0];
    if (high - low >= 0.01) zoom([Math.round(shown[0] + low * length), Math.round(shown[0] + high * length)]);
  });

  return {
    element,
    /**
     * @param {[number, number]} window
     * @param {number} origin
     */
    show(window, origin) {
      shown = window;
      const step = (window[1] - window[0]) / TICKS;
      const ticks = Array.from({ length: TICKS + 1 }, (_, index) =>
        h("span", { class: "ruler-tick", style: { left: `${(index / TICKS) * 100}%` } }, duration(Math.round(window[0] - origin + index * step))),
      );
      fill(marks, ticks);
    },
  };
}
