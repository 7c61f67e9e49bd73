// @ts-check
// Window and level: which grey a stored value has.

import assert from "node:assert/strict";
import test from "node:test";

import { ownWindow, paint, preset } from "../../static/js/logic/picture.js";

/** @param {Partial<import("../../static/js/logic/picture.js").Picture>} known */
const picture = (known) => /** @type {import("../../static/js/logic/picture.js").Picture} */ ({ window: null, bits: 16, ...known });

test("the window of the file comes first", () => {
  const found = ownWindow(picture({ window: [40, 80] }), Uint16Array.from([1, 2]));
  assert.deepEqual(found, { centre: 40, width: 80, inverted: false });
});

test("without one, eight bits are shown whole, and sixteen as far as there is something", () => {
  assert.deepEqual(ownWindow(picture({ bits: 8 }), Uint8Array.from([3])), { centre: 127.5, width: 255, inverted: false });
  const values = Uint16Array.from([...Array(50).fill(0), ...Array.from({ length: 1000 }, (_, index) => 1000 + index)]);
  assert.deepEqual(ownWindow(picture({}), values), { centre: (1010 + 1995) / 2, width: 985, inverted: false });
});

test("an empty picture has a window too", () => {
  assert.ok(ownWindow(picture({}), new Uint16Array(4)).width >= 1);
  assert.ok((preset(new Uint16Array(4), "fluid")?.width ?? 0) >= 1);
});

test("a preset spreads its share of what is stored; one that nobody knows is none", () => {
  const values = Uint16Array.from(Array.from({ length: 101 }, (_, index) => 100 + index));
  assert.deepEqual(preset(values, "whole"), { centre: 150, width: 100, inverted: false });
  assert.deepEqual(preset(values, "tissue"), { centre: 150, width: 90, inverted: false });
  assert.equal(preset(values, "none such"), undefined);
});

test("what lies below the window is black, above it white, and inverted the other way", () => {
  const pixels = Uint16Array.from([0, 1000, 1500, 2000, 65535]);
  const target = new Uint8ClampedArray(20);
  const greys = () => [0, 4, 8, 12, 16].map((index) => target[index]);
  paint(pixels, { centre: 1500, width: 1000, inverted: false }, target);
  assert.deepEqual(greys(), [0, 0, 128, 255, 255]);
  assert.deepEqual([...target.slice(8, 12)], [128, 128, 128, 255]);
  paint(pixels, { centre: 1500, width: 1000, inverted: true }, target);
  assert.deepEqual(greys(), [255, 255, 128, 0, 0]);
});
