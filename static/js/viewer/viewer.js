// @ts-check
// The viewer: which frame, which window, which part; and everything that changes them.

import { decimal, inWords } from "../language.js";
import { ownWindow, paint, preset, sizeOf } from "../logic/picture.js";
import { content, panned, pointed, zoomed } from "../logic/zoom.js";
import { element, json } from "../page.js";
import { setUpCaliper } from "./caliper.js";
import { setUpCine } from "./cine.js";
import { listenToButtons } from "./controls.js";
import { frameMarks } from "./marks.js";
import { setUpOverlay } from "./overlay.js";
import { apply, draw, drawnTrue, layers, pane } from "./pane.js";
import { setUpPlanes } from "./planes.js";
import { scaleWords } from "./scale.js";
import { fetchAll, frame } from "./sources.js";
import { listenToKeys, listenToPointer } from "./viewer_input.js";

const TAP = 4; // screen pixels that a finger may move

const picture = /** @type {import("../logic/picture.js").Picture} */ (json("picture"));
const size = sizeOf(picture);
const main = pane("screen", size);
const slider = document.getElementById("frame");
const marks = /** @type {SVGSVGElement} */ (/** @type {unknown} */ (document.getElementById("marks")));
drawnTrue(marks, size);
const readout = element("readout", HTMLElement);

const state = {
  wanted: picture.first, // the frame that was asked for
  frame: picture.first, // the frame that is drawn
  /** @type {import("../logic/picture.js").Pixels | null} */ pixels: null,
  window: { centre: 127.5, width: 255, inverted: false },
  place: { scale: 1, x: 0.5, y: 0.5 },
  isBegun: false,
  /** @type {number[]} */ read: [],
  /** @type {[number, number] | null} */ under: null,
  problem: "",
};

// --- The scan ---------------------------------------------------------------------------

let drawing = 0;
function redraw() {
  cancelAnimationFrame(drawing);
  drawing = requestAnimationFrame(() => {
    const { pixels } = state;
    const panes = overlay.isBeside() ? [main, overlay.twin] : [main];
    if (pixels) for (const { scan } of panes) draw(scan, (target) => paint(pixels, state.window, target));
    planes.redraw();
    say();
  });
}

/** @param {string} [problem] what went wrong, until something goes right */
function say(problem) {
  if (problem) state.problem = problem;
  const { centre, width } = state.window;
  const chosen = overlay.chosen();
  const values = overlay.values();
  const bare = chosen && !chosen.frames.includes(state.frame) ? `; ${inWords("{method} did not read this frame", { method: chosen.method })}` : "";
  const at = state.under && values ? values[Math.round(state.under[0]) * picture.columns + Math.round(state.under[1])] : null;
  const here = chosen && at !== null ? `; ${inWords("here {value}", { value: decimal(at, 2) })}` : "";
  readout.textContent = state.problem || `${inWords("W {width} L {level}", { width: Math.round(width), level: Math.round(centre) })}, ${scaleWords(picture, state.frame, state.under)}${bare}${here}`;
}

/** @param {number} number */
async function show(number) {
  const wanted = Math.max(0, Math.min(picture.frames - 1, number));
  state.wanted = wanted;
  try {
    const pixels = await frame(picture, wanted);
    if (wanted !== state.wanted) return;
    drawFrame(wanted, pixels);
  } catch (problem) {
    say(`${/** @type {Error} */ (problem).message} ${inWords("Try again.")}`);
  }
  for (const next of [wanted + 1, wanted - 1]) {
    if (next >= 0 && next < picture.frames) frame(picture, next).catch(() => {});
  }
}

/** @param {number} number @param {import("../logic/picture.js").Pixels} pixels */
function drawFrame(number, pixels) {
  Object.assign(state, { frame: number, pixels, problem: "" });
  if (slider instanceof HTMLInputElement) {
    slider.value = String(number + 1);
    element("frame-number", HTMLOutputElement).value = `${number + 1} / ${picture.frames}`;
  }
  if (!state.isBegun) begin();
  main.scan.dataset.frame = String(number);
  caliper.show("frames");
  planes.turn(number);
  redraw();
  overlay.refresh();
}

/** The window the file asks for, and the part of the picture that shows something. */
function begin() {
  if (!state.pixels) return;
  state.isBegun = true;
  state.window = ownWindow(picture, state.pixels);
  move(content(state.pixels, picture.rows, picture.columns));
}

/** @param {import("../logic/zoom.js").Place} place of every pane */
function move(place) {
  state.place = place;
  apply(main.scan, [...layers(main), marks, ...planes.layers], size, place);
  if (overlay.isBeside()) apply(overlay.twin.scan, layers(overlay.twin), size, place);
}

function reset() {
  begin();
  redraw();
}

/** @param {number} wider @param {number} higher in shares of the whole range */
function adjust(wider, higher) {
  const range = picture.bits === 16 ? Math.max(512, state.window.width) : 255;
  state.window.width = Math.max(1, state.window.width + wider * range);
  state.window.centre += higher * range;
  redraw();
}

/** @param {string} name of a preset; "" for the greys as they were acquired */
function grey(name) {
  if (!state.pixels) return;
  const { inverted } = state.window;
  state.window = { ...(preset(state.pixels, name) ?? ownWindow(picture, state.pixels)), inverted };
  redraw();
}

function invert() {
  state.window.inverted = !state.window.inverted;
  redraw();
  return state.window.inverted;
}

function nextRead() {
  const next = state.read.find((number) => number > state.frame) ?? state.read[0];
  if (next !== undefined) show(next);
}

function takeStock() {
  state.read = /** @type {number[]} */ (json("frames-read"));
  document.getElementById("frame-marks")?.replaceChildren(...frameMarks(state.read));
  overlay.takeStock();
  caliper.takeStock();
}

// --- Input ------------------------------------------------------------------------------

/** @type {import("./viewer_input.js").Actions} */
const actions = {
  adjust,
  reset,
  hide: (hidden) => {
    overlay.hide(hidden);
    marks.classList.toggle("bare", hidden);
  },
  pan: (dx, dy) => move(panned(main.scan, size, state.place, dx, dy)),
  zoom: (factor) => move(zoomed(state.place, factor)),
  step: (frames) => {
    fetchAll(picture);
    show(state.wanted + frames);
  },
  toggle: (method) => overlay.toggle(method),
  flip: () => overlay.flip(),
  piece: (steps) => overlay.parts.step(steps),
};

/** @param {PointerEvent} event @returns {[number, number]} row and column of what lies under the pointer */
function under(event) {
  return pointed(marks.getBoundingClientRect(), size, event);
}

/** What lies under the pointer, and a tap on it. */
function listenToPlaces() {
  let [x, y] = [0, 0];
  main.scan.addEventListener("pointermove", (event) => {
    state.under = under(event);
    if (!event.buttons) overlay.parts.hover(caliper.isActive() ? null : state.under);
    say();
  });
  main.scan.addEventListener("pointerleave", () => overlay.parts.hover(null));
  main.scan.addEventListener("pointerdown", (event) => ([x, y] = [event.clientX, event.clientY]));
  main.scan.addEventListener("pointerup", (event) => {
    const isTap = Math.hypot(event.clientX - x, event.clientY - y) < TAP;
    if (!isTap || caliper.isActive()) return;
    overlay.parts.tap(under(event));
    planes.point(under(event));
  });
}

const overlay = setUpOverlay(main, picture, { frame: () => state.frame, show, say, arranged: redraw });
const planes = setUpPlanes(picture, {
  frame: () => state.frame,
  show,
  paint: (pixels, target) => paint(pixels, state.window, target),
  say,
  measures: (across) => caliper.measures(across),
  shown: (across) => caliper.show(across),
});
const frames = /** @type {import("./caliper.js").Surface} */ ({ across: "frames", marks, canvas: main.scan, picture, number: () => state.frame });
const caliper = setUpCaliper({ surfaces: [frames, ...planes.surfaces], onMeasuring: () => overlay.whole(), goTo: show });
setUpCine((frames) => show((state.wanted + frames) % picture.frames), picture.frameTime);
for (const { scan } of [main, overlay.twin]) listenToPointer(scan, actions, picture.frames > 1, () => caliper.isActive());
listenToKeys(main.scan, actions, () => caliper.isActive());
listenToPlaces();
slider?.addEventListener("input", () => show(+(/** @type {HTMLInputElement} */ (slider).value) - 1));
new ResizeObserver(() => move(state.place)).observe(main.box);
listenToButtons({ zoom: actions.zoom, reset, hide: actions.hide, invert, grey, nextRead, frame: () => state.frame });
document.addEventListener("htmx:afterSettle", takeStock);
takeStock();
show(state.frame);
