// @ts-check
import assert from "node:assert/strict";
import test from "node:test";

import { numberOf, pointOf, stepped, voxelAt } from "../../static/js/logic/planes.js";

/** @typedef {import("../../static/js/logic/planes.js").Across} Across */

const COUNTS = { frames: 5, rows: 7, columns: 9 };
const PLACE = { frames: 1, rows: 2, columns: 3 };
const PLANES = /** @type {Across[]} */ (["frames", "rows", "columns"]);

test("a place of the volume is found again from where any of the planes shows it", () => {
  for (const across of PLANES) {
    assert.deepEqual(voxelAt(across, numberOf(across, PLACE), pointOf(across, PLACE, COUNTS), COUNTS), PLACE, across);
  }
});

test("the last frame is on top of a cut through all frames", () => {
  assert.deepEqual(pointOf("rows", { ...PLACE, frames: 4 }, COUNTS), [0, 3]);
  assert.deepEqual(pointOf("columns", { ...PLACE, frames: 0 }, COUNTS), [4, 2]);
});

test("nothing leads out of the volume, and a voxel is whole", () => {
  assert.deepEqual(stepped(PLACE, "rows", 40, COUNTS), { ...PLACE, rows: 6 });
  assert.deepEqual(stepped(PLACE, "columns", -40, COUNTS), { ...PLACE, columns: 0 });
  assert.deepEqual(voxelAt("columns", 3, [-2, 6.4], COUNTS), { frames: 4, rows: 6, columns: 3 });
});
