// @ts-check
// One map over a pane: its heat with the bar of its colours, or darkness over everything that it does not mark.

import { decimal, inWords } from "../language.js";
import { barColours, darken, paint } from "../logic/heat.js";
import { bare, draw } from "./pane.js";

/** @typedef {import("../logic/heat.js").Manner} Manner */
/** @typedef {import("../logic/overlay_state.js").Overlay} Overlay */
/** @typedef {import("./pane.js").Pane} Pane */
/** @typedef {{overlay: Overlay, values: Float32Array}} Laid */

/**
 * In place of whatever was there.
 * @param {Pane} pane @param {Laid} laid @param {Manner} manner @param {boolean} isMasked
 * @param {(pixels: Uint8ClampedArray) => void} over draws over the heat
 */
export function layMap(pane, { overlay, values }, manner, isMasked, over = () => {}) {
  bare(pane);
  if (isMasked) return mask(pane, overlay, values, manner);
  draw(pane.heat, (pixels) => {
    paint(values, pixels, manner);
    over(pixels);
  });
  showBar(pane.box, overlay, manner);
}

/** @param {Pane} pane @param {Overlay} overlay @param {Float32Array} values @param {Manner} manner */
function mask({ box, mask: canvas }, overlay, values, manner) {
  let kept = 0;
  draw(canvas, (pixels) => {
    kept = darken(values, pixels, manner, overlay.pieces !== "");
  });
  canvas.dataset.overlay = overlay.id;
  const mark = box.querySelector(".used-mark");
  if (!mark) return;
  mark.textContent = maskInWords(overlay, kept > 0);
  mark.removeAttribute("hidden");
}

/** @param {Overlay} overlay @param {boolean} isAnything whether anything is left to see @returns {string} */
function maskInWords({ method, model, classLabel, pieces }, isAnything) {
  const parts = { method, model, label: classLabel };
  if (!isAnything) return inWords("Not the picture: {method} of {model} marks nothing for {label}", parts);
  if (pieces) return inWords("Not the picture: only the pieces that {method} of {model} counts for {label}", parts);
  return inWords("Not the picture: only what {method} of {model} marks for {label}", parts);
}

/** @param {HTMLElement} box of the pane @param {Overlay} overlay @param {Manner} manner */
function showBar(box, overlay, { top }) {
  const bar = box.querySelector(".colour-bar");
  const canvas = bar?.querySelector("canvas");
  const context = canvas?.getContext("2d");
  if (!bar || !canvas || !context) return;
  const ends = overlay.signed ? [`+${decimal(top, 2)}`, `−${decimal(top, 2)}`] : ["1", "0"];
  const written = { ".bar-high": ends[0], ".bar-low": ends[1], ".bar-unit": overlay.unit };
  for (const [part, text] of Object.entries(written)) bar.querySelector(part)?.replaceChildren(text);
  for (const [row, colour] of barColours(overlay.signed, canvas.height).entries()) {
    context.fillStyle = colour;
    context.fillRect(0, row, canvas.width, 1);
  }
  bar.removeAttribute("hidden");
}
