// Mouse, pen, touch and keyboard on the viewer, as what they mean.

/**
 * @typedef {Object} Actions
 * @property {(wider: number, higher: number) => void} adjust  window and level, in shares of the range
 * @property {(dx: number, dy: number) => void} pan  in screen pixels
 * @property {(factor: number) => void} zoom
 * @property {(frames: number) => void} step
 * @property {(method: string) => void} toggle  an overlay
 * @property {(hidden: boolean) => void} hide
 * @property {() => void} reset
 */

/** @type {Record<string, [number, number]>} */
const ARROWS = { ArrowLeft: [-0.05, 0], ArrowRight: [0.05, 0], ArrowUp: [0, 0.05], ArrowDown: [0, -0.05] };

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
  /** @type {Record<string, () => void>} */
  const keys = {
    h: () => actions.hide(true),
    "+": () => actions.zoom(1.25),
    "-": () => actions.zoom(0.8),
    "[": () => actions.step(-1),
    "]": () => actions.step(1),
    g: () => actions.toggle("gradcam"),
    l: () => actions.toggle("lime"),
    v: () => document.querySelector("#read-form input[type=radio], #desk a.button")?.focus(),
  };
  canvas.addEventListener("keydown", (event) => {
    const step = ARROWS[event.key];
    if (!step || isMeasuring()) return;
    event.preventDefault();
    actions.adjust(...step);
  });
  document.addEventListener("keydown", (event) => {
    const typing = event.target instanceof Element && event.target.closest("input:not([type=range]), textarea, select");
    if (!typing && !event.ctrlKey && !event.metaKey && !event.altKey) keys[event.key]?.();
  });
  document.addEventListener("keyup", (event) => {
    if (event.key === "h") actions.hide(false);
  });
}
