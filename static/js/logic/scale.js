// @ts-check
// By which scale two points of a frame are measured, as the server decides it once more when it stores a caliper.

/** @typedef {import("./zoom.js").Point} Point */
/** @typedef {[number, number]} Pair */
/** @typedef {{rows: Pair, columns: Pair, frames: Pair | null, spacing: Pair}} Region  first and last of each; frames: null for all */
/** @typedef {{spacing: Pair | null, regions: Region[]}} Scaled  spacing: mm between rows, between columns */

const SAME = 0.01; // scales that differ by less are one, rounded by whoever wrote it

/**
 * @param {Scaled} picture @param {number} frame @param {Point[]} points
 * @returns {Pair | null} mm between rows, between columns; null where no one scale holds at all the points
 */
export function spacingBetween({ spacing, regions }, frame, points) {
  if (!regions.length) return spacing;
  const found = regions.filter((one) => points.every((point) => holds(one, frame, point)));
  const isOne = found.every((one) => one.spacing.every((side, axis) => isSame(side, found[0].spacing[axis])));
  return found.length && isOne ? found[0].spacing : null;
}

/** @param {Region} region @param {number} frame @param {Point} point @returns {boolean} */
function holds({ rows, columns, frames }, frame, [row, column]) {
  return (!frames || within(frame, frames, 0)) && within(row, rows, 0.5) && within(column, columns, 0.5);
}

/** @param {number} value @param {Pair} span @param {number} margin */
function within(value, [first, last], margin) {
  return first - margin <= value && value <= last + margin;
}

/** @param {number} one @param {number} other */
function isSame(one, other) {
  return Math.abs(one - other) <= SAME * Math.max(one, other);
}
