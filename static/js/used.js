// Only what the model used: everything else of the picture is covered. The picture itself is not touched.

import { fade } from "./heat.js";
import { draw } from "./pane.js";
import { words } from "./words.js";

/** @typedef {import("./heat.js").Overlay} Overlay */
/** @typedef {import("./heat.js").Manner} Manner */

const DARK = 0.93; // enough is left to see where in the head one is

/**
 * @param {import("./pane.js").Pane} pane @param {Overlay} overlay @param {Float32Array} values its map
 * @param {Manner} manner
 */
export function cover({ box, used }, overlay, values, manner) {
  let kept = 0;
  draw(used, (pixels) => {
    for (let index = 0; index < values.length; index++) {
      const share = counts(values[index], overlay, manner);
      if (share > 0.5) kept++;
      pixels[4 * index + 3] = 255 * DARK * (1 - share);
    }
  });
  used.dataset.overlay = overlay.id;
  const mark = box.querySelector(".used-mark");
  if (!mark) return;
  const said = !kept ? "usedNothing" : overlay.pieces ? "usedPieces" : "usedHeat";
  mark.textContent = words(said, { method: overlay.method, model: overlay.model, label: overlay.classLabel });
  mark.removeAttribute("hidden");
}

/** @param {number} value @param {Overlay} overlay @param {Manner} manner @returns {number} 0 to 1 */
function counts(value, overlay, { top, threshold }) {
  if (overlay.pieces) return value > 0 ? 1 : 0;
  return fade(Math.max(0, value / top), threshold);
}
