// @ts-check
// Heatmaps: what is decoded, and what is coloured how strongly.

import assert from "node:assert/strict";
import test from "node:test";

import { magnitude, signed } from "../../static/js/logic/colour.js";
import { barColours, darken, fade, float16, join, manner, paint, peak } from "../../static/js/logic/heat.js";

const PLAIN = { signed: false, top: 1, opacity: 1, threshold: 0 };

/** @param {number[]} values @param {import("../../static/js/logic/heat.js").Manner} how */
function painted(values, how) {
  const pixels = new Uint8ClampedArray(4 * values.length);
  paint(Float32Array.from(values), pixels, how);
  return values.map((_, index) => [...pixels.slice(4 * index, 4 * index + 4)]);
}

test("half-precision numbers are decoded as IEEE 754 says", () => {
  const bits = [0x0000, 0x8000, 0x3c00, 0xc000, 0x3555, 0x7bff, 0x0001, 0x0400, 0x7c00, 0xfc00, 0x7e00];
  const buffer = new ArrayBuffer(2 * bits.length);
  bits.forEach((word, index) => new DataView(buffer).setUint16(2 * index, word, true));
  const values = [...float16(buffer)];
  assert.deepEqual(values, [0, -0, 1, -2, 0.333251953125, 65504, 2 ** -24, 2 ** -14, Infinity, -Infinity, NaN]);
});

test("nothing is painted at zero, and the colour of a value is its place in the table", () => {
  const [none, half, full] = painted([0, 0.5, 1], PLAIN);
  assert.equal(none[3], 0);
  assert.deepEqual(half.slice(0, 3), [...magnitude.slice(3 * 128, 3 * 128 + 3)]);
  assert.deepEqual(full, [...magnitude.slice(3 * 255), 255]);
});

test("a value against the class has the colours of the other side, as strong as one for it", () => {
  const [against, towards] = painted([-2, 2], { ...PLAIN, signed: true, top: 2 });
  assert.deepEqual(against, [...signed.slice(0, 3), 255]);
  assert.deepEqual(towards, [...signed.slice(3 * 255), 255]);
  assert.ok(against[2] > against[0], "blue");
  assert.ok(towards[0] > towards[2], "orange");
});

test("a map of both signs is spread to its own peak, one of shares is not", () => {
  const values = Float32Array.from([0.1, -0.4]);
  assert.equal(peak(values), Math.fround(0.4));
  assert.ok(peak(new Float32Array(3)) > 0, "an empty map divides by something");
  /** @param {boolean} hasSign */
  const overlay = (hasSign) => /** @type {import("../../static/js/logic/heat.js").Overlay} */ ({ signed: hasSign });
  assert.equal(manner(overlay(true), values, 1, 0).top, peak(values));
  assert.equal(manner(overlay(false), values, 1, 0).top, 1);
});

test("a map fades around the threshold instead of ending there", () => {
  assert.equal(fade(0.3, 0.5), 0);
  assert.equal(fade(0.5, 0.5), 0.5);
  assert.equal(fade(0.7, 0.5), 1);
  const strengths = [0.4, 0.45, 0.5, 0.55, 0.6].map((strength) => fade(strength, 0.5));
  assert.deepEqual(strengths, strengths.toSorted((one, other) => one - other));
});

test("right of the split lies the other map, behind a line", () => {
  const left = new Uint8ClampedArray(16);
  join(left, Float32Array.from([1, 1, 1, 1]), PLAIN, 4, 0.5);
  assert.deepEqual([...left.slice(0, 8)], Array(8).fill(0));
  assert.deepEqual([...left.slice(8, 12)], [255, 255, 255, 150]);
  assert.deepEqual([...left.slice(12)], [...magnitude.slice(3 * 255), 255]);
});

test("a cover leaves to see what a map marks, a superpixel wholly or not at all", () => {
  const values = Float32Array.from([-1, 0, 0.1, 1]);
  const pixels = new Uint8ClampedArray(16);
  const alphas = () => [3, 7, 11, 15].map((index) => pixels[index]);
  assert.equal(darken(values, pixels, PLAIN, true), 2);
  assert.deepEqual(alphas(), [237, 237, 0, 0]);
  assert.equal(darken(values, pixels, { ...PLAIN, threshold: 0.5 }, false), 1);
  assert.deepEqual(alphas(), [237, 237, 237, 0]);
});

test("the bar begins with the brightest colour and ends with that of nothing", () => {
  const colours = barColours(false, 3);
  assert.equal(colours[0], `rgb(${magnitude.slice(3 * 255).join(" ")})`);
  assert.equal(colours[2], `rgb(${magnitude.slice(0, 3).join(" ")})`);
});
