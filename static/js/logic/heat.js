// @ts-check
// Heatmaps: decoded from float16, coloured, joined at a split, and turned into a cover.

import { magnitude, signed } from "./colour.js";

/** @typedef {import("./overlay_state.js").Overlay} Overlay */
/** @typedef {{signed: boolean, top: number, opacity: number, threshold: number}} Manner  threshold: share of top */

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
 * @param {Uint8ClampedArray} left red, green, blue, alpha; what lies right of the split is written over
 * @param {Float32Array} values the other map @param {import("./heat.js").Manner} manner
 * @param {number} columns @param {number} split share of the width
 */
export function join(left, values, manner, columns, split) {
  const right = new Uint8ClampedArray(left.length);
  paint(values, right, manner);
  const border = Math.round(split * columns);
  for (let index = 0; index < values.length; index++) {
    if (index % columns < border) continue;
    for (let part = 4 * index; part < 4 * index + 4; part++) left[part] = right[part];
    if (index % columns === border) left.set([255, 255, 255, 150], 4 * index);
  }
}

const DARK = 0.93; // enough is left to see where in the head one is

/**
 * Darkness over everything that a map does not mark; the picture itself is not touched.
 * @param {Float32Array} values @param {Uint8ClampedArray} pixels red, green, blue, alpha; written to
 * @param {Manner} manner @param {boolean} isWhole every superpixel counts or does not; otherwise it fades at the threshold
 * @returns {number} how many pixels are left to see
 */
export function darken(values, pixels, { top, threshold }, isWhole) {
  let kept = 0;
  for (let index = 0; index < values.length; index++) {
    const value = values[index];
    const share = isWhole ? Number(value > 0) : fade(Math.max(0, value / top), threshold);
    if (share > 0.5) kept++;
    pixels[4 * index + 3] = 255 * DARK * (1 - share);
  }
  return kept;
}

/** @param {boolean} hasSign @param {number} height of the bar @returns {string[]} its colours from the top, bright end up, as CSS */
export function barColours(hasSign, height) {
  const colours = hasSign ? signed : magnitude;
  return Array.from({ length: height }, (_, row) => {
    const place = 3 * Math.round((255 * (height - 1 - row)) / (height - 1));
    return `rgb(${colours[place]} ${colours[place + 1]} ${colours[place + 2]})`;
  });
}
