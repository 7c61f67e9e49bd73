// Calipers: two points on a frame, set by pointer, pen, touch or the arrow keys, and stored by the server.

import { bind } from "./keys.js";
import { element, json, list } from "./page.js";
import { decimal, inWords } from "./language.js";
import { replaceKeepingWords } from "./words.js";
import { inside, pointed } from "./zoom.js";

const SVG = "http://www.w3.org/2000/svg";

/** @typedef {[number, number]} Point  row and column in pixels; 0 is the middle of the first pixel */
/** @typedef {{id: string, frame: number, start: Point, end: Point, words: string, provisional: boolean}} Measurement */
/** @typedef {{marks: SVGSVGElement, canvas: HTMLCanvasElement, spacing: [number, number] | null, onMeasuring: () => void}} Place */

/** @param {Point} start @param {Point} end @param {[number, number] | null} spacing mm between rows, columns */
export function lengthWords(start, end, spacing) {
  const [down, right] = [end[0] - start[0], end[1] - start[1]];
  if (!spacing) return inWords("{length} pixels (no scale known)", { length: decimal(Math.hypot(down, right), 1) });
  return `${decimal(Math.hypot(down * spacing[0], right * spacing[1]), 1)} mm`;
}

/** @param {Place} place @returns {{isActive: () => boolean, show: (frame: number) => void}} */
export function setUpCaliper({ marks, canvas, spacing, onMeasuring }) {
  const form = document.getElementById("caliper");
  const state = {
    tool: "window",
    frame: 0,
    /** @type {Point[]} */ points: [],
    /** @type {Point | null} */ cursor: null,
    isDragged: false,
    stored: /** @type {Measurement[]} */ (json("measurements") ?? []),
  };

  /** @type {{frame: number, corners: [Point, Point], words: string}[]} */
  const advised = json("advice-places") ?? [];

  function draw() {
    const shown = state.stored.filter(({ frame }) => frame === state.frame).map((one) => line(one.start, one.end, one.words, one.provisional ? "provisional" : ""));
    const [start, end] = state.points;
    shown.push(...advised.filter(({ frame }) => frame === state.frame).map(({ corners, words }) => box(corners, words)));
    if (start) shown.push(line(start, end ?? state.cursor ?? start, "", "pending"));
    if (state.cursor && !end) shown.push(cross(state.cursor));
    marks.replaceChildren(...shown);
    say();
  }

  function say() {
    const words = document.getElementById("caliper-words");
    if (!(words instanceof HTMLOutputElement)) return; // nobody measures on a signed case
    const [start, end] = state.points;
    const far = end ?? state.cursor;
    if (state.tool === "window") words.value = "";
    else if (start && far) words.value = lengthWords(start, far, spacing);
    else words.value = inWords("Drag from one inner wall to the other, or move with the arrows and press Enter at both ends.");
  }

  /** @param {string} tool */
  function choose(tool) {
    Object.assign(state, { tool, points: [], cursor: null });
    for (const button of list("#tool-choice button", HTMLButtonElement)) {
      button.setAttribute("aria-pressed", String(button.value === tool));
    }
    canvas.classList.toggle("measuring", tool !== "window");
    ask(false);
    if (tool !== "window") {
      canvas.focus();
      onMeasuring();
    }
    draw();
  }

  /** @param {boolean} isDone show what else belongs to the measurement */
  function ask(isDone) {
    if (!form) return;
    form.hidden = !isDone;
    element("atrial-fields", HTMLElement).hidden = state.tool !== "atrial_width";
    if (isDone) element("caliper-length", HTMLElement).textContent = lengthWords(state.points[0], state.points[1], spacing);
    sayState();
  }

  /** Whether what is about to be stored counts: the whole checklist makes a width more than provisional. */
  function sayState() {
    const missing = list("#caliper input[name=checklist]", HTMLInputElement).filter(({ checked }) => !checked).length;
    element("caliper-state", HTMLElement).textContent = missing
      ? inWords("Provisional until the whole plane is confirmed: {missing} left.", { missing: String(missing) })
      : inWords("The plane is confirmed.");
  }

  /** @param {Point} point */
  function set(point) {
    if (state.points.length >= 2) state.points = [];
    state.points.push(point);
    if (state.points.length === 2) {
      state.cursor = null;
      ask(true);
    }
    draw();
  }

  canvas.addEventListener("pointerdown", (event) => {
    if (state.tool === "window" || event.button !== 0 || event.shiftKey) return;
    state.points = [pointed(marks, canvas, event)];
    state.cursor = pointed(marks, canvas, event);
    state.isDragged = true;
    ask(false);
    draw();
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!state.isDragged) return;
    state.cursor = pointed(marks, canvas, event);
    draw();
  });
  canvas.addEventListener("pointerup", (event) => {
    if (!state.isDragged) return;
    state.isDragged = false;
    const [row, column] = pointed(marks, canvas, event);
    const [first] = state.points;
    if (Math.hypot(row - first[0], column - first[1]) > 1) set([row, column]);
    else choose(state.tool);
  });
  /** @param {number} down @param {number} right @returns {(event: KeyboardEvent) => void} */
  const move = (down, right) => ({ shiftKey }) => {
    const size = shiftKey ? 10 : 0.5;
    const [row, column] = state.cursor ?? middle(canvas);
    state.cursor = inside(canvas, [row + size * down, column + size * right]);
    draw();
  };
  bind(
    "measuring",
    {
      up: move(-1, 0),
      down: move(1, 0),
      left: move(0, -1),
      right: move(0, 1),
      set: () => set(state.cursor ?? middle(canvas)),
      leave: () => choose("window"),
    },
    { on: canvas, when: () => state.tool !== "window" },
  );
  bind("tools", {
    window: () => choose("window"),
    distance: () => choose("distance"),
    atrialWidth: () => choose("atrial_width"),
  });
  for (const button of list("#tool-choice button", HTMLButtonElement)) {
    button.addEventListener("click", () => choose(button.value));
  }
  document.getElementById("caliper-discard")?.addEventListener("click", () => choose("window"));
  if (form instanceof HTMLFormElement) {
    form.addEventListener("change", sayState);
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const stored = await store(form, state.tool, state.frame, state.points);
      if (!stored) return;
      const [start, end] = state.points;
      state.stored.push({ id: stored.id, frame: state.frame, start, end, words: `${stored.title}: ${stored.value}`, provisional: stored.provisional });
      form.reset();
      choose("window");
    });
  }

  return {
    isActive: () => state.tool !== "window",
    show: (frame) => {
      Object.assign(state, { frame, points: [], cursor: null });
      ask(false);
      draw();
    },
  };
}

/**
 * @param {HTMLFormElement} form @param {string} tool @param {number} frame @param {Point[]} points
 * @returns {Promise<{id: string, title: string, value: string, provisional: boolean} | null>}
 */
async function store(form, tool, frame, [start, end]) {
  const sent = new FormData(form);
  const more = { tool, frame, start_row: start[0], start_column: start[1], end_row: end[0], end_column: end[1] };
  for (const [name, value] of Object.entries(more)) sent.set(name, String(value));
  const response = await fetch(form.action, { method: "POST", body: sent });
  const said = await response.json().catch(() => ({ detail: inWords("The measurement was not stored. Try again.") }));
  if (!response.ok) {
    element("caliper-length", HTMLElement).textContent = said.detail;
    return null;
  }
  const page = await fetch(form.dataset.findings ?? "");
  if (page.ok) replaceKeepingWords(element("findings-box", HTMLElement), await page.text());
  return said;
}

/** @param {HTMLCanvasElement} canvas @returns {Point} */
function middle({ width, height }) {
  return [height / 2, width / 2];
}

/** @param {Point} start @param {Point} end @param {string} words @param {string} kind */
function line(start, end, words, kind = "") {
  const group = document.createElementNS(SVG, "g");
  if (kind) group.classList.add(kind);
  const drawn = document.createElementNS(SVG, "line");
  const places = { x1: start[1] + 0.5, y1: start[0] + 0.5, x2: end[1] + 0.5, y2: end[0] + 0.5 };
  for (const [name, value] of Object.entries(places)) drawn.setAttribute(name, String(value));
  const title = document.createElementNS(SVG, "title");
  title.textContent = words;
  group.append(drawn, cross(start), cross(end), title);
  return group;
}

/** @param {[Point, Point]} corners of the place that an advice names @param {string} words */
function box(corners, words) {
  const group = document.createElementNS(SVG, "g");
  group.classList.add("advised");
  const drawn = document.createElementNS(SVG, "rect");
  const [rows, columns] = [0, 1].map((axis) => corners.map((corner) => corner[axis] + 0.5));
  const places = { x: Math.min(...columns), y: Math.min(...rows) };
  const size = { width: Math.max(...columns) - places.x, height: Math.max(...rows) - places.y };
  for (const [name, value] of Object.entries({ ...places, ...size })) drawn.setAttribute(name, String(value));
  const title = document.createElementNS(SVG, "title");
  title.textContent = words;
  group.append(drawn, title);
  return group;
}

/** @param {Point} point */
function cross([row, column]) {
  const path = document.createElementNS(SVG, "path");
  const [x, y] = [column + 0.5, row + 0.5];
  path.setAttribute("d", `M${x - 2} ${y}h4M${x} ${y - 2}v4`);
  return path;
}
