// @ts-check
// Calibrating: how long the line that was set is, or what a mark stands for where the server found a depth scale.

import { decimal, inWords } from "../language.js";
import { keptLength } from "../logic/caliper.js";
import { element } from "../page.js";

/** @typedef {import("../logic/zoom.js").Point} Point */
/** @typedef {{frame: number, start: Point, end: Point, steps: number, marks: Point[], depth: number, spacing_px: number, error: number, choices_mm: number[]}} Marks */
/** @typedef {{caliper: import("../logic/caliper.js").Caliper, change: () => void, putAway: () => void}} Hand */

const STAYS = 150; // ms: of frames that somebody scrolls past nothing is asked

/** @param {Hand} hand what holds the line @returns {{ask: () => HTMLElement | null, look: () => void, marks: () => Point[]}} */
export function setUpCalibration({ caliper, change, putAway }) {
  const found = document.getElementById("calibration");
  if (!(found instanceof HTMLFormElement)) return { ask: () => null, look: () => {}, marks: () => [] }; // the file states its scale
  const form = found;
  /** @type {Marks | null} along which the line lies, while nobody has moved it */
  let marks = null;
  /** @type {string | null} the length that a choice of what a mark stands for wrote */
  let filled = null;

  /** Whether nobody has moved the line since. */
  const isLaid = () => marks?.start === caliper.points[0] && marks?.end === caliper.points[1];

  /** The form is shown once both ends are set, and while words in it are kept: then it is what is asked. */
  function ask() {
    const { tool, isDone, frame, points } = caliper;
    const [start, end] = points;
    const isAsked = tool === "calibrate" && isDone;
    form.hidden = !isAsked && form.dataset.kept === undefined;
    if (marks && !isLaid()) forget();
    if (!isAsked) return null;
    const sent = { frame, start_row: start[0], start_column: start[1], end_row: end[0], end_column: end[1] };
    for (const [name, value] of Object.entries(sent)) field(form, name).value = String(value);
    return form;
  }

  /** Looks for a depth scale once a frame stays, and lays the line along it unless somebody has begun one. */
  async function look() {
    const { frame } = caliper;
    await new Promise((stays) => setTimeout(stays, STAYS));
    if (caliper.tool !== "calibrate" || caliper.frame !== frame) return;
    const response = await fetch((form.dataset.marks ?? "").replace(/0$/, String(frame))).catch(() => null);
    /** @type {Marks | null} */
    const seen = response?.ok ? (await response.json()).found : null;
    if (!seen || caliper.tool !== "calibrate" || caliper.frame !== frame || caliper.points.length) return;
    caliper.lay(seen.start, seen.end);
    offer(seen);
    change();
  }

  /** Says what was found, and offers what a mark may stand for. @param {Marks} seen */
  function offer(seen) {
    marks = seen;
    element("depth-marks", HTMLElement).hidden = false;
    element("depth-marks-words", HTMLElement).textContent = inWords(
      "Proposed: {count} marks of a depth scale, {spacing} pixels apart (± {error} %). Check that the line ends on marks, and say how far it is from one to the next:",
      { count: String(seen.steps + 1), spacing: decimal(seen.spacing_px, 1), error: decimal(100 * seen.error, 2) },
    );
    element("mark-choices", HTMLElement).replaceChildren(...seen.choices_mm.map((mm) => choice(seen, mm, () => fill(seen.steps, mm))));
  }

  /** Writes how long the line is. @param {number} steps from its start to its end @param {number} mm from one mark to the next */
  function fill(steps, mm) {
    filled = decimal(steps * mm, 1);
    field(form, "mark_mm").value = String(mm);
    field(form, "length_mm").value = filled;
  }

  /** The line is another one now: no length of the proposed one is stored for it. */
  function forget() {
    const length = field(form, "length_mm");
    length.value = keptLength(length.value, filled);
    marks = filled = null;
    element("depth-marks", HTMLElement).hidden = true;
    field(form, "mark_mm").value = "";
  }

  element("calibration-discard", HTMLElement).addEventListener("click", () => {
    delete form.dataset.kept;
    putAway();
  });
  return { ask, look, marks: () => (marks && isLaid() ? marks.marks : []) };
}

/** @param {Marks} marks @param {number} mm from one mark to the next @param {() => void} choose */
function choice({ depth }, mm, choose) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = inWords("{mm} mm: {depth} cm deep", { mm: decimal(mm, 0), depth: decimal((depth * mm) / 10, 1) });
  button.addEventListener("click", choose);
  return button;
}

/** @param {HTMLFormElement} form @param {string} name */
function field(form, name) {
  const found = form.elements.namedItem(name);
  if (!(found instanceof HTMLInputElement)) throw new Error(name);
  return found;
}
