// The viewer: which frame, which window, which overlay; and everything that changes them.

import { listenToKeys, listenToPointer } from "./hands.js";
import { element, frameMarks, json, list } from "./page.js";
import { frame, ownWindow, paint, preset } from "./picture.js";
import { apply, content, panned, pointed, zoomed } from "./zoom.js";
import { heat, manner, paint as paintHeat, paintBar, peak } from "./heat.js";
import { setUpCaliper } from "./caliper.js";
import { setUpCine } from "./cine.js";
import { join, setUpCompare } from "./compare.js";
import { listenToButtons } from "./controls.js";
import { decimal, inWords } from "./language.js";

/** @typedef {import("./heat.js").Overlay} Overlay */

const picture = /** @type {import("./picture.js").Picture} */ (json("picture"));
const scanCanvas = element("scan-canvas", HTMLCanvasElement);
const heatCanvas = element("heat-canvas", HTMLCanvasElement);
const slider = document.getElementById("frame");
const opacity = element("opacity", HTMLInputElement);
const threshold = element("threshold", HTMLInputElement);
const modelChoice = element("model", HTMLSelectElement);
const marks = /** @type {SVGSVGElement} */ (/** @type {unknown} */ (document.getElementById("marks")));
const readout = element("readout", HTMLElement);

const state = {
  wanted: picture.first, // the frame that was asked for
  frame: picture.first, // the frame that is drawn
  /** @type {import("./picture.js").Pixels | null} */ pixels: null,
  window: { centre: 127.5, width: 255, inverted: false },
  place: { scale: 1, x: 0.5, y: 0.5 },
  isBegun: false,
  /** @type {Overlay[]} */ overlays: [],
  /** @type {number[]} */ read: [],
  model: sessionStorage.getItem("model") ?? "",
  method: sessionStorage.getItem("method") ?? "",
  hidden: false,
  /** @type {Float32Array | null} the map that is drawn */ values: null,
  /** @type {[number, number] | null} */ under: null,
  problem: "",
};

/** @returns {Overlay | undefined} the overlay that is chosen, if the answer has it */
function chosen() {
  return state.overlays.find((overlay) => overlay.model === state.model && overlay.key === state.method);
}

// --- The scan ---------------------------------------------------------------------------

/** @param {HTMLCanvasElement} canvas make it as many pixels as the scan has, drawn in its true proportions */
function fit(canvas) {
  canvas.width = picture.columns;
  canvas.height = picture.rows;
}

/** @param {HTMLCanvasElement} canvas @param {(pixels: Uint8ClampedArray) => void} fill */
function draw(canvas, fill) {
  const context = canvas.getContext("2d");
  if (!context) return;
  const data = context.createImageData(picture.columns, picture.rows);
  fill(data.data);
  context.putImageData(data, 0, 0);
}

let drawing = 0;
function redraw() {
  cancelAnimationFrame(drawing);
  drawing = requestAnimationFrame(() => {
    const { pixels } = state;
    if (pixels) draw(scanCanvas, (target) => paint(pixels, state.window, target));
    say();
  });
}

function say() {
  const { centre, width } = state.window;
  const mm = picture.spacing ? `, ${inWords("{length} mm a pixel", { length: decimal(picture.spacing[0], 2) })}` : `, ${inWords("no scale known")}`;
  const overlay = chosen();
  const bare = overlay && !overlay.frames.includes(state.frame) ? `; ${inWords("{method} did not read this frame", { method: overlay.method })}` : "";
  const at = state.under && state.values ? state.values[Math.round(state.under[0]) * picture.columns + Math.round(state.under[1])] : null;
  const here = overlay && at !== null ? `; ${inWords("here {value}", { value: decimal(at, 2) })}` : "";
  readout.textContent = state.problem || `${inWords("W {width} L {level}", { width: Math.round(width), level: Math.round(centre) })}${mm}${bare}${here}`;
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
    state.problem = `${/** @type {Error} */ (problem).message} ${inWords("Try again.")}`;
    say();
  }
  for (const next of [wanted + 1, wanted - 1]) {
    if (next >= 0 && next < picture.frames) frame(picture, next).catch(() => {});
  }
}

/** @param {number} number @param {import("./picture.js").Pixels} pixels */
function drawFrame(number, pixels) {
  Object.assign(state, { frame: number, pixels, problem: "" });
  if (slider instanceof HTMLInputElement) {
    slider.value = String(number + 1);
    element("frame-number", HTMLOutputElement).value = `${number + 1} / ${picture.frames}`;
  }
  if (!state.isBegun) begin();
  scanCanvas.dataset.frame = String(number);
  caliper.show(number);
  redraw();
  showHeat();
}

/** The window the file asks for, and the part of the picture that shows something. */
function begin() {
  if (!state.pixels) return;
  state.isBegun = true;
  state.window = ownWindow(picture, state.pixels);
  move(content(state.pixels, picture.rows, picture.columns));
}

/** @param {import("./zoom.js").Place} place */
function move(place) {
  state.place = place;
  apply(scanCanvas, [scanCanvas, heatCanvas, marks], place);
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

// --- The overlay ------------------------------------------------------------------------

async function showHeat() {
  const overlay = chosen();
  const row = overlay && !state.hidden ? overlay.frames.indexOf(state.frame) : -1;
  const wanted = overlay && row >= 0 ? `${overlay.id}:${row}` : "";
  element("heat-controls", HTMLFieldSetElement).disabled = !overlay;
  if (heatCanvas.dataset.overlay !== wanted) takeHeatAway();
  say();
  if (!overlay || !wanted) return;
  try {
    const values = await heat(overlay, row, picture.view);
    if (chosen() !== overlay || overlay.frames[row] !== state.frame || state.hidden) return;
    const top = overlay.signed ? peak(values) : 1;
    const right = await compare.map(state.frame, picture.view);
    if (chosen() !== overlay || state.hidden) return;
    const [share, least] = [+opacity.value / 100, +threshold.value / 100];
    draw(heatCanvas, (target) => {
      paintHeat(values, target, manner(overlay, values, share, least));
      if (right) join(target, right.values, manner(right.overlay, right.values, share, least), picture.columns, compare.split());
    });
    state.values = values;
    heatCanvas.dataset.overlay = wanted;
    showBar(overlay, top);
  } catch (problem) {
    state.problem = /** @type {Error} */ (problem).message;
    say();
  }
}

/** At once, before anything else is fetched: one method's heat must never stand under another's name. */
function takeHeatAway() {
  draw(heatCanvas, () => {});
  delete heatCanvas.dataset.overlay;
  state.values = null;
  element("colour-bar", HTMLElement).hidden = true;
}

/** @param {Overlay} overlay @param {number} top */
function showBar(overlay, top) {
  element("colour-bar", HTMLElement).hidden = false;
  paintBar(element("bar-canvas", HTMLCanvasElement), overlay.signed);
  element("bar-high", HTMLElement).textContent = overlay.signed ? `+${decimal(top, 2)}` : "1";
  element("bar-low", HTMLElement).textContent = overlay.signed ? `−${decimal(top, 2)}` : "0";
  element("bar-unit", HTMLElement).textContent = overlay.unit;
}

/** @param {string} model @param {string} method "" for none */
function choose(model, method) {
  state.model = model;
  state.method = method;
  sessionStorage.setItem("model", model);
  sessionStorage.setItem("method", method);
  const overlay = chosen();
  if (overlay && !overlay.frames.includes(state.frame)) show(overlay.frames[Math.floor(overlay.frames.length / 2)]);
  else showHeat();
  mark();
}

/** Press the buttons that stand for what is shown, and say how far it can be trusted. */
function mark() {
  const overlay = chosen();
  const { method, model, version, classLabel, trust } = overlay ?? {};
  modelChoice.value = state.model;
  for (const button of list("#methods button", HTMLButtonElement)) {
    button.setAttribute("aria-pressed", String(button.value === (overlay ? state.method : "")));
  }
  for (const button of list(".show-overlay", HTMLButtonElement)) {
    button.setAttribute("aria-pressed", String(button.dataset.overlay === overlay?.id));
  }
  element("trust", HTMLElement).classList.toggle("unreliable", overlay?.reliable === false);
  element("trust", HTMLElement).textContent = overlay
    ? inWords("{method} of {model} {version}, for {label}. {trust}", { method, model, version, label: classLabel, trust })
    : "";
}

/** Read again what the server says there is: after each update of the answers. */
function takeStock() {
  state.overlays = /** @type {Overlay[]} */ (json("overlays"));
  state.read = /** @type {number[]} */ (json("frames-read"));
  const models = [...new Set(state.overlays.map((overlay) => overlay.model))];
  if (models.length && !models.includes(state.model)) state.model = models[0];
  modelChoice.replaceChildren(...models.map((name) => new Option(name, name)));
  element("model-choice", HTMLElement).hidden = models.length < 2;
  offerMethods();
  compare.offer(state.overlays);
  document.getElementById("frame-marks")?.replaceChildren(...frameMarks(state.read));
  mark();
  showHeat();
}

function offerMethods() {
  const own = state.overlays.filter((overlay) => overlay.model === state.model);
  const offers = [["", inWords("None")], ...own.map((overlay) => [overlay.key, overlay.method])];
  const buttons = offers.map(([value, words]) => {
    const button = document.createElement("button");
    Object.assign(button, { type: "button", value, textContent: words });
    button.addEventListener("click", () => choose(state.model, value));
    return button;
  });
  element("methods", HTMLElement).replaceChildren(...buttons);
}

/** @param {boolean} hidden */
function hide(hidden) {
  if (state.hidden === hidden) return;
  state.hidden = hidden;
  showHeat();
}

// --- Hands ------------------------------------------------------------------------------

/** @type {import("./hands.js").Actions} */
const actions = {
  adjust,
  reset,
  hide,
  pan: (dx, dy) => move(panned(scanCanvas, state.place, dx, dy)),
  zoom: (factor) => move(zoomed(state.place, factor)),
  step: (frames) => show(state.wanted + frames),
  toggle: (method) => choose(state.model, state.method === method ? "" : method),
};

function listenToControls() {
  slider?.addEventListener("input", () => show(+(/** @type {HTMLInputElement} */ (slider).value) - 1));
  opacity.addEventListener("input", showHeat);
  threshold.addEventListener("input", showHeat);
  modelChoice.addEventListener("change", () => {
    state.model = modelChoice.value;
    offerMethods();
    choose(modelChoice.value, state.method);
  });
  window.addEventListener("resize", () => move(state.place));
  scanCanvas.addEventListener("pointermove", (event) => {
    state.under = pointed(marks, scanCanvas, event);
    say();
  });
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

document.addEventListener("click", (event) => {
  const button = event.target instanceof Element ? event.target.closest(".show-overlay") : null;
  if (!(button instanceof HTMLButtonElement)) return;
  const overlay = state.overlays.find(({ id }) => id === button.dataset.overlay);
  if (!overlay) return;
  const isShown = chosen() === overlay;
  state.model = overlay.model;
  offerMethods();
  choose(overlay.model, isShown ? "" : overlay.key);
});
document.addEventListener("htmx:afterSettle", takeStock);

fit(scanCanvas);
fit(heatCanvas);
const compare = setUpCompare(showHeat);
setUpCine(() => show((state.wanted + 1) % picture.frames));
const caliper = setUpCaliper({ marks, canvas: scanCanvas, spacing: picture.spacing });
listenToPointer(scanCanvas, actions, picture.frames > 1, () => caliper.isActive());
listenToKeys(scanCanvas, actions, () => caliper.isActive());
listenToControls();
listenToButtons({ zoom: actions.zoom, reset, hide, invert, grey, nextRead, frame: () => state.frame });
takeStock();
show(state.frame);
