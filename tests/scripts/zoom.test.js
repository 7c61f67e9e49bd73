// @ts-check
// Zoom, pan, and which pixel lies under a pointer.

import assert from "node:assert/strict";
import test from "node:test";

import { content, inside, panned, pointed, shownSize, squared, stretch, transform, zoomed } from "../../static/js/logic/zoom.js";

const WHOLE = { scale: 1, x: 0.5, y: 0.5 };
const SIZE = { width: 200, height: 100, aspect: 1 };
const SQUEEZED = { width: 200, height: 50, aspect: 2 }; // the same picture, its pixels twice as high as wide
const SCREEN = { clientWidth: 400, clientHeight: 400 }; // fits twice as large, with bars above and below

test("a scan in a wide black field starts enlarged, around what it shows", () => {
  const pixels = new Uint8Array(100 * 100);
  for (let row = 20; row < 40; row++) pixels.fill(9, 100 * row + 60, 100 * row + 80);
  const place = content(pixels, 100, 100);
  assert.ok(Math.abs(place.scale - 1 / 0.23) < 1e-9);
  assert.deepEqual([place.x, place.y], [0.695, 0.295]);
});

test("a scan that fills its field, or shows nothing, starts whole", () => {
  assert.deepEqual(content(new Uint8Array(100).fill(1), 10, 10), WHOLE);
  assert.deepEqual(content(new Uint8Array(100), 10, 10), WHOLE);
});

test("zooming ends at eight times and at the whole, which stands in the middle again", () => {
  assert.equal(zoomed({ scale: 6, x: 0.2, y: 0.3 }, 2).scale, 8);
  assert.deepEqual(zoomed({ scale: 1.1, x: 0.2, y: 0.3 }, 0.5), WHOLE);
  assert.deepEqual(zoomed({ scale: 2, x: 0.2, y: 0.3 }, 1.5), { scale: 3, x: 0.2, y: 0.3 });
});

test("panning follows the hand and stays on the picture", () => {
  const place = { scale: 2, x: 0.5, y: 0.5 };
  for (const size of [SIZE, SQUEEZED]) {
    assert.deepEqual(panned(SCREEN, size, place, 80, -40), { scale: 2, x: 0.4, y: 0.6 });
    assert.deepEqual(panned(SCREEN, size, place, 9999, -9999), { scale: 2, x: 0, y: 1 });
  }
});

test("the whole is not moved, and what is panned to stands in the middle", () => {
  for (const size of [SIZE, SQUEEZED]) {
    assert.equal(transform(SCREEN, size, WHOLE), "translate(0px, 0px) scale(1)");
    assert.equal(transform(SCREEN, size, { scale: 2, x: 0.25, y: 0.75 }), "translate(200px, -100px) scale(2)");
  }
});

test("canvases are stretched from how a browser fits squares to the true picture, in either direction", () => {
  assert.equal(stretch(SCREEN, SIZE), "");
  assert.equal(stretch(SCREEN, SQUEEZED), "scale(1, 2)"); // 400 x 100 becomes 400 x 200
  assert.equal(stretch(SCREEN, { width: 100, height: 200, aspect: 0.5 }), "scale(2, 1)"); // 200 x 400 becomes 400 x 400
  assert.equal(stretch(SCREEN, { width: 100, height: 100, aspect: 2 }), "scale(0.5, 1)"); // 400 x 400 becomes 200 x 400
});

test("what is drawn over the scan lies among square pixels", () => {
  assert.deepEqual(squared([0, 7], 1), [0, 7]);
  assert.deepEqual(squared([-0.5, 7], 2), [-0.5, 7]); // the picture's edge stays its edge
  assert.deepEqual(squared([49.5, 7], 2), [99.5, 7]);
});

test("a pointer is over the pixel whose middle is nearest, bars or not", () => {
  const box = { left: 10, top: 20, width: 400, height: 400 };
  assert.equal(shownSize(box, SIZE), 2);
  assert.deepEqual(pointed(box, SIZE, { clientX: 11, clientY: 121 }), [0, 0]);
  assert.deepEqual(pointed(box, SIZE, { clientX: 409, clientY: 319 }), [99, 199]);
  assert.deepEqual(pointed(box, SIZE, { clientX: 211, clientY: 221 }), [50, 100]);
  assert.equal(shownSize(box, SQUEEZED), 2);
  assert.deepEqual(pointed(box, SQUEEZED, { clientX: 11, clientY: 122 }), [0, 0]);
  assert.deepEqual(pointed(box, SQUEEZED, { clientX: 211, clientY: 222 }), [25, 100]);
});

test("a pointer beside the picture is over its border", () => {
  const box = { left: 10, top: 20, width: 400, height: 400 };
  assert.deepEqual(pointed(box, SIZE, { clientX: 0, clientY: 30 }), [0, 0]);
  assert.deepEqual(inside(SIZE, [-3, 500]), [0, 199]);
});
