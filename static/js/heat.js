// @ts-check
// Heatmaps: fetched as float16, coloured here.

import { magnitude, signed } from "./colour.js";
import { decimal, inWords } from "./language.js";

/**
 * @typedef {Object} Overlay
 * @property {string} id
 * @property {string} model
 * @property {string} version
 * @property {string} answer
 * @property {string} method
 * @property {string} key
 * @property {string} classLabel
 * @property {string} unit
 * @property {boolean} signed
 * @property {number[]} frames  indices of the frames it covers
 * @property {string} address
 * @property {string} pieces  where its superpixels are; "" for a method without
 * @property {string} segments  the hash of what they were stored as
 * @property {boolean} reliable
 * @property {string} trust
 */

/** @typedef {{signed: boolean, top: number, opacity: number, threshold: number}} Manner  threshold: share of top */

/** @type {Map<string, Promise<Float32Array>>} */
const fetched = new Map();

/**
 * @param {Overlay} overlay @param {number} row which of its frames @param {string} view
 * @returns {Promise<Float32Array>}
 */
export function heat(overlay, row, view) {
  const address = `${overlay.address}${row}?view=${view}`;
  const known = fetched.get(address);
  if (known) return known;
  const promise = fetch(address).then(async (response) => {
    if (!response.ok) throw new Error(inWords("The heatmap did not come ({status}).", { status: response.status }));
    return float16(await response.arrayBuffer());
  });
  promise.catch(() => fetched.delete(address));
  fetched.set(address, promise);
  return promise;
}

/** @param {ArrayBuffer} buffer little-endian half-precision numbers @returns {Float32Array} */
export function float16(buffer) {
  const view = new DataView(buffer);
  const values = new Float32Array(buffer.byteLength / 2);
  for (let index = 0; index < values.length; index++) values[index] = half(view.getUint16(2 * index, true));
  return values;
}

/** @param {number} bits @returns {number} */
function half(bits) {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** @param {Float32Array} values @returns {number} the largest magnitude, at least a little */
export function peak(values) {
  let largest = 0;
  for (const value of values) largest = Math.max(largest, Math.abs(value));
  return largest || 1e-6;
}

/**
 * Colours with transparency: nothing at zero, fading around the threshold instead of cutting.
 * @param {Float32Array} values @param {Uint8ClampedArray} pixels red, green, blue, alpha; written to
 * @param {Manner} manner
 */
export function paint(values, pixels, { signed: hasSign, top, opacity, threshold }) {
  const colours = hasSign ? signed : magnitude;
  for (let index = 0; index < values.length; index++) {
    const value = Math.max(-1, Math.min(1, values[index] / top));
    const place = 3 * Math.round(255 * (hasSign ? (value + 1) / 2 : Math.max(0, value)));
    pixels[4 * index] = colours[place];
    pixels[4 * index + 1] = colours[place + 1];
    pixels[4 * index + 2] = colours[place + 2];
    pixels[4 * index + 3] = 255 * opacity * presence(Math.abs(value), threshold);
  }
}

/** @param {number} strength 0 to 1 @param {number} threshold @returns {number} 0 to 1 */
function presence(strength, threshold) {
  return fade(strength, threshold) * Math.min(1, 1.6 * strength);
}

/** @param {number} strength 0 to 1 @param {number} threshold @returns {number} 0 below, 1 above, smooth between */
export function fade(strength, threshold) {
  const width = 0.12;
  const step = Math.min(1, Math.max(0, (strength - threshold + width) / (2 * width)));
  return step * step * (3 - 2 * step);
}

/**
 * @param {Overlay} overlay @param {Float32Array} values @param {number} opacity @param {number} threshold
 * @returns {Manner} how `paint` is to draw it
 */
export function manner(overlay, values, opacity, threshold) {
  return { signed: overlay.signed, top: overlay.signed ? peak(values) : 1, opacity, threshold };
}

/**
 * @param {HTMLElement} box of the pane @param {Overlay} overlay
 * @param {Manner} manner
 */
export function showBar(box, overlay, { top }) {
  const bar = box.querySelector(".colour-bar");
  const canvas = bar?.querySelector("canvas");
  if (!bar || !canvas) return;
  const ends = overlay.signed ? [`+${decimal(top, 2)}`, `−${decimal(top, 2)}`] : ["1", "0"];
  const said = { ".bar-high": ends[0], ".bar-low": ends[1], ".bar-unit": overlay.unit };
  for (const [part, text] of Object.entries(said)) bar.querySelector(part)?.replaceChildren(text);
  paintBar(canvas, overlay.signed);
  bar.removeAttribute("hidden");
}

/** @param {HTMLCanvasElement} canvas @param {boolean} hasSign draw the bar, bright end up */
function paintBar(canvas, hasSign) {
  const context = canvas.getContext("2d");
  if (!context) return;
  const colours = hasSign ? signed : magnitude;
  for (let row = 0; row < canvas.height; row++) {
    const place = 3 * Math.round((255 * (canvas.height - 1 - row)) / (canvas.height - 1));
    context.fillStyle = `rgb(${colours[place]} ${colours[place + 1]} ${colours[place + 2]})`;
    context.fillRect(0, row, canvas.width, 1);
  }
}
