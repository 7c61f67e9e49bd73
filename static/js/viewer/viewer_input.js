// @ts-check
// Mouse, pen, touch and keyboard on the viewer, as what they mean.

import { list } from "../page.js";
import { bind } from "../shortcuts.js";

/**
 * @typedef {Object} Actions
 * @property {(wider: number, higher: number) => void} adjust  window and level, in shares of the range
 * @property {(dx: number, dy: number) => void} pan  in screen pixels
 * @property {(factor: number) => void} zoom
 * @property {(frames: number) => void} step
 * @property {(method: string) => void} toggle  an overlay
 * @property {(hidden: boolean) => void} hide
 * @property {() => void} flip  to another method or model, and back
 * @property {(steps: number) => void} piece  the next by what it counted, or the one before
 * @property {() => void} reset
 */

const READ = ["#read-form input[type=radio]:checked", "#read-form input[type=radio]", "#sign-form [type=password]", "#desk a.button"];

/**
 * @param {HTMLCanvasElement} canvas @param {Actions} actions @param {boolean} isStack the wheel moves through frames
 * @param {() => boolean} isMeasuring the first button sets calipers
 */
export function listenToPointer(canvas, actions, isStack, isMeasuring) {
  canvas.addEventListener("pointerdown", (event) => canvas.setPointerCapture(event.pointerId));
  canvas.addEventListener("pointermove", (event) => {
    const isPan = event.buttons && (event.shiftKey || event.buttons & 4);
    if (isPan) actions.pan(event.movementX, event.movementY);
    else if (event.buttons & 1 && !isMeasuring()) actions.adjust(event.movementX / 400, -event.movementY / 400);
  });
  canvas.addEventListener("dblclick", actions.reset);
  canvas.addEventListener("wheel", (event) => listenToWheel(event, actions, isStack), { passive: false });
}

/** @param {WheelEvent} event @param {Actions} actions @param {boolean} isStack */
function listenToWheel(event, actions, isStack) {
  if (!isStack && !event.ctrlKey) return;
  event.preventDefault();
  if (event.ctrlKey) actions.zoom(event.deltaY < 0 ? 1.15 : 1 / 1.15);
  else actions.step(Math.sign(event.deltaY));
}

/** @param {HTMLCanvasElement} canvas @param {Actions} actions @param {() => boolean} isMeasuring arrows move a caliper */
export function listenToKeys(canvas, actions, isMeasuring) {
  const { adjust, zoom, step, toggle } = actions;
  bind("viewer", { nearer: () => zoom(1.25), farther: () => zoom(0.8), ...pressing("invert", "reset"), fullScreen: () => document.getElementById("full-screen")?.click() });
  bind("frames", { back: () => step(-1), forward: () => step(1) });
  bind("overlay", {
    gradcam: () => toggle("gradcam"),
    lime: () => toggle("lime"),
    hide: ({ type }) => actions.hide(type === "keydown"),
    flip: () => actions.flip(),
    nextPiece: () => actions.piece(1),
    previousPiece: () => actions.piece(-1),
    ...pressing("used", "outlines", "beside"),
  });
  bind("review", { read: () => READ.flatMap((one) => list(one, HTMLElement)).at(0)?.focus() });
  bind(
    "picture",
    {
      narrower: () => adjust(-0.05, 0),
      wider: () => adjust(0.05, 0),
      darker: () => adjust(0, 0.05),
      brighter: () => adjust(0, -0.05),
    },
    { on: canvas, when: () => !isMeasuring() },
  );
}

/** @param {string[]} ids of buttons @returns {Record<string, () => void>} what pressing each does */
function pressing(...ids) {
  return Object.fromEntries(ids.map((id) => [id, () => document.getElementById(id)?.click()]));
}
