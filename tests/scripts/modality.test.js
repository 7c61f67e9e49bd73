// @ts-check
// What a chosen file shows, before it is sent.

import assert from "node:assert/strict";
import test from "node:test";

import { agreed, shownBy } from "../../static/js/logic/modality.js";

/** @param {number[]} element after the prefix */
function dicom(element) {
  return Uint8Array.from([...new Array(128).fill(0), ...Buffer.from("DICM"), 2, 0, 16, 0, ...element, 1, 2, 3, 4]);
}

/** @param {string} words */
const bytes = (words) => [...Buffer.from(words)];

test("DICOM says its modality in any transfer syntax", () => {
  assert.equal(shownBy("IM1", dicom([8, 0, 0x60, 0, ...bytes("CS"), 2, 0, ...bytes("US")])), "ultrasound");
  assert.equal(shownBy("IM1", dicom([8, 0, 0x60, 0, 2, 0, 0, 0, ...bytes("MR")])), "mri");
  assert.equal(shownBy("IM1", dicom([0, 8, 0, 0x60, ...bytes("CS"), 0, 2, ...bytes("MR")])), "mri");
});

test("a modality that is neither, and a header without one, say nothing", () => {
  assert.equal(shownBy("IM1", dicom([8, 0, 0x60, 0, ...bytes("CS"), 2, 0, ...bytes("OT")])), undefined);
  assert.equal(shownBy("IM1", dicom([])), undefined);
  assert.equal(shownBy("IM1.nii", dicom([8, 0, 0x60, 0, ...bytes("CS"), 0xff, 0])), undefined);
});

test("volumes of NIfTI are MRI, films are ultrasound, pictures may be either", () => {
  const nothing = new Uint8Array(10);
  const found = ["srr.nii.gz", "head.NII", "clip.mp4", "old.avi", "scan.png", "notes.txt"].map((name) => shownBy(name, nothing));
  assert.deepEqual(found, ["mri", "mri", "ultrasound", "ultrasound", undefined, undefined]);
});

test("files that say different things are left to the person", () => {
  assert.equal(agreed(["mri", undefined, "mri"]), "mri");
  assert.equal(agreed(["mri", "ultrasound"]), undefined);
  assert.equal(agreed([undefined]), undefined);
});
