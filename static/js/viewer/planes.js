// @ts-check
// The other two planes of a volume beside its frames, and one place in all three.

import { inWords } from "../language.js";
import { sizeOf } from "../logic/picture.js";
import { numberOf, pointOf, stepped, voxelAt } from "../logic/planes.js";
import { content, pointed, squared } from "../logic/zoom.js";
import { element, list } from "../page.js";
import { bind } from "../shortcuts.js";
import { crossing } from "./marks.js";
import { apply, draw, drawnTrue } from "./pane.js";
import { fetchAll, frame } from "./sources.js";

/** @typedef {import("../logic/picture.js").Picture} Picture */
/** @typedef {import("../logic/picture.js").Pixels} Pixels */
/** @typedef {import("../logic/planes.js").Across} Across */
/** @typedef {import("../logic/planes.js").Voxel} Voxel */
/** @typedef {import("../logic/zoom.js").Point} Point */
/** @typedef {{frame: () => number, show: (frame: number) => void, paint: (pixels: Pixels, target: Uint8ClampedArray) => void, say: (problem: string) => void, measures: (across: Across) => boolean, shown: (across: Across) => void}} Page  measures: whether a pointer there sets calipers; shown: it shows another picture */

/** What a scan without other planes has of them. */
const NONE = {
  turn: () => {},
  point: () => {},
  redraw: () => {},
  /** @type {SVGSVGElement[]} */ layers: [],
  /** @type {import("./caliper.js").Surface[]} */ surfaces: [],
};

/** @param {Picture} picture @param {Page} page @returns {{turn: (frame: number) => void, point: (point: Point) => void, redraw: () => void, layers: SVGSVGElement[], surfaces: import("./caliper.js").Surface[]}} */
export function setUpPlanes(picture, page) {
  const button = document.getElementById("three-planes");
  if (!(button instanceof HTMLButtonElement)) return NONE;
  const lines = crossLines(element("screen", HTMLElement), sizeOf(picture));
  const counts = { frames: picture.frames, rows: picture.rows, columns: picture.columns };
  const cuts = picture.planes.map((plane) => setUpCut({ ...picture, ...plane }, counts, { ...page, choose }));
  let isOpen = false;
  /** @type {Voxel} */
  let place = { frames: picture.first, rows: Math.floor(picture.rows / 2), columns: Math.floor(picture.columns / 2) };

  /** @param {Voxel} wanted */
  function choose(wanted) {
    const isOther = wanted.frames !== page.frame();
    place = wanted;
    if (isOther) page.show(wanted.frames);
    drawAll();
  }

  function drawAll() {
    if (!isOpen) return;
    lines.replaceChildren(...crossing(squared(pointOf("frames", place, counts), picture.aspect), sizeOf(picture)));
    for (const cut of cuts) cut.show(place);
  }

  function toggle() {
    isOpen = !isOpen;
    button?.setAttribute("aria-pressed", String(isOpen));
    element("screens", HTMLElement).classList.toggle("three", isOpen);
    for (const cut of cuts) cut.box.hidden = !isOpen;
    if (!isOpen) return lines.replaceChildren();
    place = { ...place, frames: page.frame() };
    drawAll();
  }

  button.addEventListener("click", toggle);
  bind("volume", { planes: toggle });
  return {
    layers: [lines],
    surfaces: cuts.map(({ surface }) => surface),
    /** @param {number} number of the frame that is shown now */
    turn(number) {
      place = { ...place, frames: number };
      drawAll();
    },
    /** @param {Point} point of the frame that is shown */
    point(point) {
      if (isOpen) choose(voxelAt("frames", page.frame(), point, counts));
    },
    redraw() {
      for (const cut of cuts) cut.redraw();
    },
  };
}

/** @param {HTMLElement} box @param {import("../logic/zoom.js").Size} size @returns {SVGSVGElement} */
function crossLines(box, size) {
  const lines = /** @type {SVGSVGElement} */ (box.querySelector(".cross-lines"));
  drawnTrue(lines, size);
  return lines;
}

/**
 * One of the planes that are cut through all frames.
 * @param {Picture & {across: Across}} picture @param {Voxel} counts @param {Page & {choose: (voxel: Voxel) => void}} page
 */
function setUpCut(picture, counts, { paint, say, choose, measures, shown }) {
  const { across } = picture;
  const box = element(`cut-${across}`, HTMLElement);
  const [canvas] = list(`#cut-${across} canvas`, HTMLCanvasElement);
  const [caption] = list(`#cut-${across} output`, HTMLOutputElement);
  const size = sizeOf(picture);
  const lines = crossLines(box, size);
  const marks = /** @type {SVGSVGElement} */ (box.querySelector(".marks"));
  drawnTrue(marks, size);
  Object.assign(canvas, { width: size.width, height: size.height });
  /** @type {{pixels: Pixels | null, place: import("../logic/zoom.js").Place, voxel: Voxel, wanted: number}} */
  const state = { pixels: null, place: { scale: 1, x: 0.5, y: 0.5 }, voxel: { frames: 0, rows: 0, columns: 0 }, wanted: -1 };

  function redraw() {
    const { pixels } = state;
    if (!pixels || box.hidden) return;
    draw(canvas, (target) => paint(pixels, target));
    apply(canvas, [canvas, marks, lines], size, state.place);
  }

  /** @param {Voxel} voxel that all three planes show */
  async function show(voxel) {
    const number = numberOf(across, voxel);
    state.voxel = voxel;
    lines.replaceChildren(...crossing(squared(pointOf(across, voxel, counts), size.aspect), size));
    if (number === state.wanted) return;
    state.wanted = number;
    try {
      const pixels = await frame(picture, number);
      if (number !== state.wanted) return;
      if (!state.pixels) state.place = content(pixels, size.height, size.width);
      state.pixels = pixels;
      canvas.dataset.frame = String(number);
      caption.value = inWords("{number} of {count}", { number: number + 1, count: picture.frames });
      shown(across);
      redraw();
    } catch (problem) {
      state.wanted = -1;
      say(`${/** @type {Error} */ (problem).message} ${inWords("Try again.")}`);
    }
  }

  /** @param {number} steps */
  function step(steps) {
    fetchAll(picture);
    choose(stepped(state.voxel, across, steps, counts));
  }

  /** @param {number} down @param {number} right in pixels of the cut */
  function move(down, right) {
    const [row, column] = pointOf(across, state.voxel, counts);
    choose(voxelAt(across, numberOf(across, state.voxel), [row + down, column + right], counts));
  }

  /** @param {PointerEvent} event */
  const look = (event) => choose(voxelAt(across, state.wanted, pointed(lines.getBoundingClientRect(), size, event), counts));
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    if (event.button === 0 && !measures(across)) look(event);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (event.buttons & 1 && !measures(across)) look(event);
  });
  canvas.addEventListener(
    "wheel",
    (event) => {
      event.preventDefault();
      step(Math.sign(event.deltaY));
    },
    { passive: false },
  );
  bind(
    "cut",
    { up: () => move(-1, 0), down: () => move(1, 0), left: () => move(0, -1), right: () => move(0, 1), previous: () => step(-1), next: () => step(1) },
    { on: canvas, when: () => !measures(across) },
  );
  new ResizeObserver(redraw).observe(box);
  return { box, show, redraw, surface: { across, marks, canvas, picture, number: () => Number(canvas.dataset.frame ?? -1) } };
}
