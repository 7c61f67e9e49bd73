// @ts-check
// How large a pixel is and how long a line, in words: millimetres by both spacings, or what is known instead.

import { decimal, inWords } from "../language.js";
import { length, pixelSides } from "../logic/caliper.js";
import { spacingBetween } from "../logic/scale.js";

/** @typedef {import("../logic/picture.js").Picture} Picture */
/** @typedef {import("../logic/zoom.js").Point} Point */

const SQUARE = 0.01; // sides that differ by less are one number, rounded by whoever wrote it

/** @param {Picture} picture @param {number} frame @param {Point} start @param {Point} end @returns {string} "30.0 mm" */
export function lengthWords(picture, frame, start, end) {
  const spacing = spacingBetween(picture, frame, [start, end]);
  const words = decimal(length(start, end, spacing ?? pixelSides(picture.aspect)), 1);
  if (spacing) return `${words} mm`;
  if (picture.regions.length) return inWords("{length} pixels (no one scale holds at both ends)", { length: words });
  return inWords("{length} pixels (no scale known)", { length: words });
}

/**
 * @param {Picture} picture @param {number} frame @param {Point | null} under the pointer
 * @returns {string} "0.31 mm a pixel"
 */
export function scaleWords(picture, frame, under) {
  const { regions, aspect } = picture;
  const spacing = under ? spacingBetween(picture, frame, [under]) : picture.spacing;
  if (spacing) return spacingWords(spacing);
  if (regions.length) return under ? inWords("no scale here") : inWords("a scale in each region");
  const sides = { across: decimal(Math.max(1 / aspect, 1), 2), down: decimal(Math.max(aspect, 1), 2) };
  return isSquare(aspect) ? inWords("no scale known") : inWords("no scale known, pixels {across} : {down} (across : down)", sides);
}

/** @param {[number, number]} spacing */
function spacingWords(spacing) {
  const [down, across] = spacing.map((side) => decimal(side, 2));
  if (isSquare(spacing[0] / spacing[1])) return inWords("{length} mm a pixel", { length: down });
  return inWords("{across} × {down} mm a pixel (across × down)", { across, down });
}

/** @param {number} aspect */
function isSquare(aspect) {
  return Math.abs(aspect - 1) <= SQUARE;
}
