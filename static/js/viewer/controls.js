// @ts-check
// The buttons around the scan, as what they mean.

import { element } from "../page.js";

/**
 * @typedef {Object} Handlers
 * @property {(factor: number) => void} zoom
 * @property {() => void} reset
 * @property {(hidden: boolean) => void} hide
 * @property {() => boolean} invert  whether the greys are inverted now
 * @property {(preset: string) => void} grey
 * @property {() => void} nextRead  the next frame that an answer rests on
 * @property {() => number} frame  the frame that is shown, from 0
 */

/** @param {Handlers} does */
export function listenToButtons(does) {
  const hold = element("hold", HTMLButtonElement);
  hold.addEventListener("pointerdown", () => does.hide(true));
  for (const end of ["pointerup", "pointerleave", "pointercancel"]) hold.addEventListener(end, () => does.hide(false));
  const invert = element("invert", HTMLButtonElement);
  invert.addEventListener("click", () => invert.setAttribute("aria-pressed", String(does.invert())));
  element("nearer", HTMLButtonElement).addEventListener("click", () => does.zoom(1.25));
  element("farther", HTMLButtonElement).addEventListener("click", () => does.zoom(0.8));
  element("reset", HTMLButtonElement).addEventListener("click", () => {
    invert.setAttribute("aria-pressed", "false");
    element("preset", HTMLSelectElement).value = "";
    does.reset();
  });
  const greys = element("preset", HTMLSelectElement);
  greys.addEventListener("change", () => does.grey(greys.value));
  listenToFullScreen(element("full-screen", HTMLButtonElement));
  document.getElementById("next-read")?.addEventListener("click", does.nextRead);
  document.getElementById("add-frame")?.addEventListener("click", () => {
    const field = element("id_frames", HTMLInputElement);
    field.value = [field.value.trim(), does.frame() + 1].filter(Boolean).join(", ");
  });
}

/** The picture with its bar alone on the screen, where the browser can. @param {HTMLButtonElement} button */
function listenToFullScreen(button) {
  const viewer = element("viewer", HTMLElement);
  button.hidden = !document.fullscreenEnabled;
  button.addEventListener("click", () => (document.fullscreenElement ? document.exitFullscreen() : viewer.requestFullscreen()).catch(() => {}));
  document.addEventListener("fullscreenchange", () => button.setAttribute("aria-pressed", String(document.fullscreenElement === viewer)));
}
