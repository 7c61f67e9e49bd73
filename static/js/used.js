// @ts-check
// Only what the model used: everything else of the picture is covered. The picture itself is not touched.

import { fade } from "./heat.js";
import { inWords } from "./language.js";
import { draw } from "./pane.js";

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
  mark.textContent = said(overlay, kept > 0);
  mark.removeAttribute("hidden");
}

/** @param {number} value @param {Overlay} overlay @param {Manner} manner @returns {number} 0 to 1 */
function counts(value, overlay, { top, threshold }) {
  if (overlay.pieces) return value > 0 ? 1 : 0;
  return fade(Math.max(0, value / top), threshold);
}

/** @param {Overlay} overlay @param {boolean} isAnything whether anything is left to see @returns {string} */
function said({ method, model, classLabel, pieces }, isAnything) {
  const parts = { method, model, label: classLabel };
  if (!isAnything) return inWords("Not the picture: {method} of {model} marks nothing for {label}", parts);
  if (pieces) return inWords("Not the picture: only the pieces that {method} of {model} counts for {label}", parts);
  return inWords("Not the picture: only what {method} of {model} marks for {label}", parts);
}
