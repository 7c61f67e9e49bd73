// @ts-check
// Calipers: how long they are, and what pointer and keys do to their ends.

import assert from "node:assert/strict";
import test from "node:test";

import { Caliper, endAt, keptLength, length, isLikely, pixelSides } from "../../static/js/logic/caliper.js";

const SIZE = { width: 200, height: 100, aspect: 1 };
const PROPOSAL = {
  prediction: "p",
  atrium: 1,
  side: "far",
  frame: 4,
  start: /** @type {[number, number]} */ ([10, 20]),
  end: /** @type {[number, number]} */ ([10, 40]),
  words: "",
  label: "",
  confirmed: false,
};

/** @param {string} tool */
function caliper(tool) {
  const made = new Caliper(SIZE);
  made.choose(tool);
  return made;
}

test("a length takes the spacing of rows and of columns, each its own", () => {
  assert.equal(length([0, 0], [3, 4], [2, 0.5]), Math.hypot(6, 2));
  assert.equal(length([5, 5], [5, 15], [9, 0.4]), 4);
});

test("without a scale a length is in pixels, counted along their shorter side", () => {
  assert.equal(length([0, 0], [3, 4], pixelSides(1)), 5);
  assert.equal(length([0, 0], [4, 0], pixelSides(2)), 8);
  assert.equal(length([0, 0], [0, 8], pixelSides(2)), 8);
  assert.equal(length([0, 0], [0, 4], pixelSides(0.5)), 8);
});

test("a pointer takes hold of the nearer end, as far away as a finger is wide on the screen", () => {
  /** @type {[number, number][]} */
  const ends = [[10, 20], [10, 40]];
  assert.equal(endAt(ends, [10, 22], 1, 1), 0);
  assert.equal(endAt(ends, [10, 36], 1, 1), 1);
  assert.equal(endAt(ends, [10, 33], 4, 1), -1, "enlarged four times it is 28 pixels away");
  assert.equal(endAt(ends, [19, 20], 1, 1), 0);
  assert.equal(endAt(ends, [19, 20], 1, 2), -1, "pixels twice as high as wide: it is 18 away");
  assert.equal(endAt(ends.slice(0, 1), [10, 20], 1, 1), -1, "one end is no caliper");
});

test("a drag sets both ends; a tap sets none", () => {
  const drawn = caliper("distance");
  drawn.press([10, 10], 1);
  drawn.drag([10, 30]);
  assert.deepEqual(drawn.span, [[10, 10], [10, 30]]);
  assert.equal(drawn.isDone, false);
  drawn.release([12, 34]);
  assert.deepEqual([drawn.points, drawn.isDone, drawn.cursor], [[[10, 10], [12, 34]], true, null]);

  const tapped = caliper("distance");
  tapped.press([10, 10], 1);
  tapped.release([10.5, 10.5]);
  assert.deepEqual([tapped.points, tapped.isActive, tapped.isDragged], [[], true, false]);
});

test("an end that is set can be dragged elsewhere, and the other stays", () => {
  const drawn = caliper("distance");
  drawn.set([10, 10]);
  drawn.set([10, 60]);
  drawn.press([11, 59], 1);
  drawn.drag([20, 70]);
  drawn.release([20, 70]);
  assert.deepEqual(drawn.points, [[10, 10], [20, 70]]);
});

test("by keys alone: the cursor starts in the middle, moves, stays on the scan, and sets both ends", () => {
  const drawn = caliper("atrial_width");
  drawn.move(0.5, 0);
  drawn.enter();
  assert.deepEqual(drawn.points, [[50.5, 100]]);
  drawn.move(0, 500);
  drawn.enter();
  assert.deepEqual(drawn.points, [[50.5, 100], [50.5, 199]]);
  drawn.enter();
  assert.equal(drawn.isDone, false, "a third end begins another caliper");
});

test("a proposal is checked end by end, and stays the proposal that it was", () => {
  const checked = caliper("window");
  checked.check(PROPOSAL);
  assert.deepEqual([checked.tool, checked.isDone, checked.origin], ["atrial_width", true, PROPOSAL]);
  checked.move(0, 10);
  checked.enter();
  checked.move(-0.5, 0);
  assert.deepEqual(checked.points, [[9.5, 20], [10, 50]]);
  assert.deepEqual([PROPOSAL.start, PROPOSAL.end], [[10, 20], [10, 40]]);
});

test("a line that is laid along a depth scale can be moved at either end, and drawn anew", () => {
  const hand = caliper("calibrate");
  hand.lay([10, 12], [90, 12]);
  assert.ok(hand.isDone);
  hand.press([89, 13], 2);
  hand.drag([70, 12]);
  hand.release([70, 12]);
  assert.deepEqual(hand.points, [[10, 12], [70, 12]]);
  hand.press([50, 100], 2);
  hand.release([50, 150]);
  assert.deepEqual(hand.points, [[50, 100], [50, 150]]);
});

test("a length that a mark's choice filled in goes with the line, and a typed one stays", () => {
  assert.equal(keptLength("120.0", "120.0"), "");
  assert.equal(keptLength("95", "120.0"), "95");
  assert.equal(keptLength("95", null), "95");
});

test("whoever draws anew measures without the proposal", () => {
  const checked = caliper("window");
  checked.check(PROPOSAL);
  checked.press([80, 150], 1);
  checked.release([80, 190]);
  assert.deepEqual([checked.origin, checked.points], [null, [[80, 150], [80, 190]]]);
});

test("new answers keep the proposal that is being checked, as long as it is among them", () => {
  const checked = caliper("window");
  checked.check(PROPOSAL);
  const renewed = { ...PROPOSAL, label: "renewed" };
  checked.renew([{ ...PROPOSAL, atrium: 2 }, renewed]);
  assert.equal(checked.origin, renewed);
  checked.renew([]);
  assert.equal(checked.origin, null);
});

test("on another frame nothing is left of what was begun, not even a drag", () => {
  const drawn = caliper("distance");
  drawn.press([10, 10], 1);
  drawn.turnTo(7);
  assert.deepEqual([drawn.frame, drawn.points, drawn.isDragged, drawn.tool], [7, [], false, "distance"]);
});

test("a line that a model proposes for a side of the fetus is offered for that side first", () => {
  const proposed = /** @type {(side: string) => import("../../static/js/logic/caliper.js").Proposal} */ ((side) => /** @type {any} */ ({ side }));
  assert.deepEqual([isLikely(proposed("left"), "left"), isLikely(proposed("left"), "right")], [true, false]);
  assert.deepEqual([isLikely(proposed("far"), "left"), isLikely(null, "right")], [true, true]);
});
