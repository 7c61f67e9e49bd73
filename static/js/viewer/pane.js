// @ts-check
// One look at the scan: the picture itself, heat over it, what hides the rest, outlines; all of one size.

import { stretch, transform } from "../logic/zoom.js";

/**
 * @typedef {Object} Pane
 * @property {HTMLElement} box
 * @property {HTMLCanvasElement} scan
 * @property {HTMLCanvasElement} heat
 * @property {HTMLCanvasElement} mask  dark where the picture is hidden
 * @property {SVGSVGElement} outlines
 */
/** @typedef {import("../logic/zoom.js").Size} Size */

/**
 * @param {string} id of its box @param {Size} size of the scan
 * @returns {Pane}
 */
export function pane(id, size) {
  const box = document.getElementById(id);
  if (!box) throw new Error(`The page has no pane named ${id}.`);
  const [scan, heat, mask] = ["scan", "heat", "used"].map((name) => {
    const canvas = box.querySelector(`.${name}-layer`);
    if (!(canvas instanceof HTMLCanvasElement)) throw new Error(`The pane ${id} has no ${name}.`);
    Object.assign(canvas, { width: size.width, height: size.height });
    return canvas;
  });
  const outlines = /** @type {SVGSVGElement} */ (box.querySelector(".outlines"));
  drawnTrue(outlines, size);
  return { box, scan, heat, mask, outlines };
}

/** @param {SVGSVGElement} layer in which a unit is as wide as a pixel of the scan, and as high @param {Size} size */
export function drawnTrue(layer, { width, height, aspect }) {
  layer.setAttribute("viewBox", `0 0 ${width} ${height * aspect}`);
}

/** @param {Pane} pane @returns {(HTMLElement | SVGElement)[]} what is zoomed together */
export function layers({ scan, heat, mask, outlines }) {
  return [scan, heat, mask, outlines];
}

/**
 * @param {HTMLCanvasElement} scan @param {(HTMLElement | SVGElement)[]} moved its layers
 * @param {Size} size @param {import("../logic/zoom.js").Place} place
 */
export function apply(scan, moved, size, place) {
  const [move, make] = [transform(scan, size, place), stretch(scan, size)];
  for (const layer of moved) layer.style.transform = layer instanceof HTMLCanvasElement ? `${move} ${make}` : move;
}

/** @param {HTMLCanvasElement} canvas @param {(pixels: Uint8ClampedArray) => void} fill */
export function draw(canvas, fill) {
  const context = canvas.getContext("2d");
  if (!context) return;
  const data = context.createImageData(canvas.width, canvas.height);
  fill(data.data);
  context.putImageData(data, 0, 0);
}

/** @param {Pane} pane nothing but the scan */
export function bare({ box, heat, mask, outlines }) {
  for (const canvas of [heat, mask]) {
    draw(canvas, () => {});
    delete canvas.dataset.overlay;
  }
  outlines.querySelectorAll("g").forEach((group) => group.remove());
  for (const part of box.querySelectorAll(".colour-bar, .used-mark")) part.setAttribute("hidden", "");
}
