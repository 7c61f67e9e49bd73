// @ts-check
// Which map lies over the scan, and what it is compared with.

import assert from "node:assert/strict";
import test from "node:test";

import { Comparison, OverlayState } from "../../static/js/logic/overlay_state.js";

/** @typedef {import("../../static/js/logic/overlay_state.js").Overlay} Overlay */

/** @param {string} model @param {string} key @param {number[]} frames @returns {Overlay} */
function overlay(model, key, frames) {
  const nothing = { version: "1", answer: "", classLabel: "", unit: "", address: "", pieces: "", segments: "", trust: "" };
  return { ...nothing, id: `${model}-${key}`, model, key, method: key, frames, signed: false, reliable: true };
}

const [GRADCAM, LIME, OTHER] = [overlay("cnn", "gradcam", [2, 3, 4]), overlay("cnn", "lime", [3]), overlay("vgg16", "gradcam", [3])];

/** @param {Overlay[]} known */
function state(...known) {
  const made = new OverlayState({ model: "cnn", method: "gradcam" });
  made.take(known);
  return made;
}

test("what was chosen last is shown again where the answers have it", () => {
  const made = state(GRADCAM, LIME, OTHER);
  assert.equal(made.chosen, GRADCAM);
  assert.deepEqual([made.models, made.offered], [["cnn", "vgg16"], [GRADCAM, LIME]]);
});

test("a model that has gone gives way to the first that is there", () => {
  const made = state(OTHER);
  assert.deepEqual([made.model, made.chosen], ["vgg16", OTHER]);
});

test("a map lies on the frames that its method has read, and on no other", () => {
  const made = state(GRADCAM);
  assert.deepEqual([made.row(4), made.shownOn(4)], [2, "cnn-gradcam:2"]);
  assert.deepEqual([made.row(9), made.shownOn(9)], [-1, ""]);
  assert.deepEqual([made.nearest(4), made.nearest(9)], [4, 3]);
});

test("nothing is shown while it is hidden, or where no method is chosen", () => {
  const made = state(GRADCAM);
  made.isHidden = true;
  assert.deepEqual([made.row(3), made.shownOn(3)], [-1, ""]);
  made.isHidden = false;
  made.choose("cnn", "");
  assert.deepEqual([made.chosen, made.shownOn(3), made.nearest(9)], [undefined, "", 9]);
});

test("the cover needs a map, and goes with it: another method, or a frame that it has not read", () => {
  const made = state(GRADCAM, LIME);
  made.mask();
  assert.ok(made.isMasked);
  made.uncover(3);
  assert.ok(made.isMasked);
  made.uncover(9);
  assert.equal(made.isMasked, false);
  made.mask();
  made.choose("cnn", "lime");
  assert.equal(made.isMasked, false);
  made.choose("cnn", "");
  made.mask();
  assert.equal(made.isMasked, false);
});

test("to hide the cover for a moment does not take it away", () => {
  const made = state(GRADCAM);
  made.mask();
  made.isHidden = true;
  made.uncover(3);
  assert.ok(made.isMasked);
});

/** @param {Overlay[]} known */
function comparison(...known) {
  const made = new Comparison();
  made.take(known);
  return made;
}

test("beside the shown map stands another one, and afterwards what stood there before", () => {
  const made = comparison(GRADCAM, LIME, OTHER);
  made.standBeside(GRADCAM);
  assert.deepEqual([made.isBeside, made.chosen], [true, LIME]);
  made.choose(OTHER.id);
  made.standBeside(GRADCAM);
  assert.deepEqual([made.isBeside, made.chosen], [false, undefined]);
});

test("nothing stands beside nothing", () => {
  const none = comparison();
  none.standBeside(undefined);
  assert.equal(none.isBeside, false);
  const made = comparison(GRADCAM, LIME);
  made.standBeside(GRADCAM);
  made.choose("");
  assert.equal(made.isBeside, false);
});

test("what is compared is kept while the answers have it", () => {
  const made = comparison(GRADCAM, LIME);
  made.standBeside(GRADCAM);
  assert.equal(made.take([GRADCAM, { ...LIME }, OTHER]), false);
  assert.equal(made.chosen?.id, LIME.id);
  assert.equal(made.take([GRADCAM]), true, "it is over");
  assert.deepEqual([made.id, made.isBeside], ["", false]);
});

test("two maps change places, and change back", () => {
  const made = comparison(GRADCAM, LIME, OTHER);
  made.choose(OTHER.id);
  assert.equal(made.trade(GRADCAM), OTHER);
  assert.equal(made.chosen, GRADCAM);
  assert.equal(made.trade(OTHER), GRADCAM);
});

test("where nothing is compared, a map changes places with the one before it", () => {
  const made = comparison(GRADCAM, LIME, OTHER);
  assert.equal(made.trade(OTHER), GRADCAM);
  assert.equal(made.id, "");
  assert.equal(made.trade(GRADCAM), OTHER);
  assert.equal(comparison(GRADCAM).trade(GRADCAM), undefined);
});
