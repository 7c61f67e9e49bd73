// @ts-check
// By which scale a caliper is measured.

import assert from "node:assert/strict";
import test from "node:test";

import { spacingBetween } from "../../static/js/logic/scale.js";

/** @typedef {import("../../static/js/logic/scale.js").Region} Region */
/** @typedef {[number, number]} Pair */

/** @param {Pair} columns @param {Pair} spacing @param {Pair | null} frames @returns {Region} */
const region = (columns, spacing, frames = null) => ({ rows: [0, 99], columns, frames, spacing });
const HALVES = { spacing: null, regions: [region([0, 99], [0.3, 0.3]), region([100, 199], [0.6, 0.6])] };

test("without regions one scale holds everywhere, or none", () => {
  assert.deepEqual(spacingBetween({ spacing: [2, 0.5], regions: [] }, 0, [[0, 0], [9, 9]]), [2, 0.5]);
  assert.equal(spacingBetween({ spacing: null, regions: [] }, 0, [[0, 0], [9, 9]]), null);
});

test("within a region its own scale holds, to its very edge; across regions and outside none", () => {
  assert.deepEqual(spacingBetween(HALVES, 0, [[5, 0], [5, 99.5]]), [0.3, 0.3]);
  assert.deepEqual(spacingBetween(HALVES, 0, [[5, 120], [90, 180]]), [0.6, 0.6]);
  assert.equal(spacingBetween(HALVES, 0, [[5, 20], [5, 120]]), null);
  assert.equal(spacingBetween(HALVES, 0, [[5, 20], [105, 20]]), null);
});

test("where regions lie over each other they must agree", () => {
  const over = { ...HALVES, regions: [...HALVES.regions, region([50, 99], [0.5, 0.5]), region([0, 40], [0.301, 0.3])] };
  assert.equal(spacingBetween(over, 0, [[5, 60], [5, 70]]), null);
  assert.deepEqual(spacingBetween(over, 0, [[5, 10], [5, 20]]), [0.3, 0.3]);
});

test("each frame has its own where they differ", () => {
  const loop = { spacing: null, regions: [region([0, 199], [0.3, 0.3], [0, 4]), region([0, 199], [0.6, 0.6], [6, 9])] };
  const scales = [4, 5, 6].map((frame) => spacingBetween(loop, frame, [[5, 20], [5, 120]]));
  assert.deepEqual(scales, [[0.3, 0.3], null, [0.6, 0.6]]);
});
