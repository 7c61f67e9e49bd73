// @ts-check
// Calipers: two points on a frame, set by pointer, pen, touch or the arrow keys, and stored by the server.

import { bind } from "./keys.js";
import { element, json, list } from "./page.js";
import { decimal, inWords } from "./language.js";
import { box, cross, line, proposed } from "./marks.js";
import { replaceKeepingWords } from "./words.js";
import { inside, pointed, shownSize } from "./zoom.js";

const GRAB = 14; // screen pixels around an end within which a pointer takes hold of it

/** @typedef {[number, number]} Point  row and column in pixels; 0 is the middle of the first pixel */
/** @typedef {{id: string, frame: number, start: Point, end: Point, words: string, provisional: boolean}} Measurement */
/** @typedef {{prediction: string, atrium: number, frame: number, start: Point, end: Point, words: string, label: string, confirmed: boolean}} Proposal */
/** @typedef {{marks: SVGSVGElement, canvas: HTMLCanvasElement, spacing: [number, number] | null, onMeasuring: () => void, goTo: (frame: number) => Promise<void>}} Place */

/** @param {Point} start @param {Point} end @param {[number, number] | null} spacing mm between rows, columns */
export function lengthWords(start, end, spacing) {
  const [down, right] = [end[0] - start[0], end[1] - start[1]];
  if (!spacing) return inWords("{length} pixels (no scale known)", { length: decimal(Math.hypot(down, right), 1) });
  return `${decimal(Math.hypot(down * spacing[0], right * spacing[1]), 1)} mm`;
}

/** @param {Place} place @returns {{isActive: () => boolean, show: (frame: number) => void, takeStock: () => void}} */
export function setUpCaliper({ marks, canvas, spacing, onMeasuring, goTo }) {
  const form = document.getElementById("caliper");
  const state = {
    tool: "window",
    frame: 0,
    /** @type {Point[]} */ points: [],
    /** @type {Point | null} */ cursor: null,
    isDragged: false,
    held: -1, // the end that is moved
    /** @type {Proposal | null} the proposed caliper that is being checked */ origin: null,
    /** @type {Proposal[]} */ proposals: [],
    stored: /** @type {Measurement[]} */ (json("measurements") ?? []),
  };

  const advised = /** @type {{frame: number, corners: [Point, Point], words: string}[]} */ (json("advice-places") ?? []);

  function draw() {
    const shown = state.stored.filter(({ frame }) => frame === state.frame).map((one) => line(one.start, one.end, one.words, one.provisional ? "provisional" : ""));
    const [start, end] = state.points;
    shown.push(...advised.filter(({ frame }) => frame === state.frame).map(({ corners, words }) => box(corners, words)));
    shown.push(...state.proposals.filter((one) => one !== state.origin && !one.confirmed && one.frame === state.frame).map((one) => proposed(one, canvas)));
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
    else if (state.origin) words.value = `${inWords("Proposed: drag an end, or move it with the arrows (Enter takes the other end); confirm the plane, and store.")} ${lengthWords(start, end, spacing)}`;
    else if (start && far) words.value = lengthWords(start, far, spacing);
    else words.value = inWords("Drag from one inner wall to the other, or move with the arrows and press Enter at both ends.");
  }

  /** @param {string} tool */
  function choose(tool) {
    Object.assign(state, { tool, points: [], cursor: null, origin: null, held: -1 });
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

  /** Take up a proposed caliper: its ends may be moved, and it is stored as a reader's own. @param {Proposal} one */
  async function check(one) {
    if (one.frame !== state.frame) await goTo(one.frame);
    if (form instanceof HTMLFormElement) form.reset();
    choose("atrial_width");
    Object.assign(state, { points: [one.start, one.end], origin: one, held: 1 });
    ask(true);
    draw();
  }

  /** @param {number} number of the end @param {Point} point */
  function moveEnd(number, point) {
    state.points = state.points.map((old, place) => (place === number ? point : old));
    ask(true);
    draw();
  }

  /** @param {Point} point @returns {number} the end under it, -1 for none */
  function endAt(point) {
    if (state.points.length < 2) return -1;
    const away = state.points.map(([row, column]) => Math.hypot(row - point[0], column - point[1]) * shownSize(marks, canvas));
    const nearest = away[0] < away[1] ? 0 : 1;
    return away[nearest] <= GRAB ? nearest : -1;
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
    const place = pointed(marks, canvas, event);
    state.isDragged = true;
    state.held = endAt(place);
    if (state.held >= 0) return;
    Object.assign(state, { points: [place], cursor: place, origin: null });
    ask(false);
    draw();
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!state.isDragged) return;
    const place = pointed(marks, canvas, event);
    if (state.held >= 0) return moveEnd(state.held, place);
    state.cursor = place;
    draw();
  });
  canvas.addEventListener("pointerup", (event) => {
    if (!state.isDragged) return;
    state.isDragged = false;
    if (state.held >= 0) return;
    const [row, column] = pointed(marks, canvas, event);
    const [first] = state.points;
    if (Math.hypot(row - first[0], column - first[1]) > 1) set([row, column]);
    else choose(state.tool);
  });
  /** @param {number} down @param {number} right @returns {(event: KeyboardEvent) => void} */
  const move = (down, right) => ({ shiftKey }) => {
    const size = shiftKey ? 10 : 0.5;
    const [row, column] = state.origin ? state.points[state.held] : (state.cursor ?? middle(canvas));
    if (state.origin) return moveEnd(state.held, inside(canvas, [row + size * down, column + size * right]));
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
      set: () => (state.origin ? (state.held = 1 - state.held) : set(state.cursor ?? middle(canvas))),
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
  document.addEventListener("click", ({ target }) => {
    const button = target instanceof HTMLElement ? target.closest(".check-proposal") : null;
    if (!(button instanceof HTMLElement)) return;
    const { prediction, atrium } = button.dataset;
    const wanted = state.proposals.find((one) => one.prediction === prediction && one.atrium === Number(atrium));
    if (wanted) check(wanted);
  });
  document.getElementById("caliper-discard")?.addEventListener("click", () => choose("window"));
  if (form instanceof HTMLFormElement) {
    form.addEventListener("change", sayState);
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const stored = await store(form, state.tool, state.frame, state.points, state.origin);
      if (!stored) return;
      const [start, end] = state.points;
      if (state.origin) settle(state.origin);
      state.stored.push({ id: stored.id, frame: state.frame, start, end, words: `${stored.title}: ${stored.value}`, provisional: stored.provisional });
      form.reset();
      choose("window");
    });
  }

  return {
    isActive: () => state.tool !== "window",
    show: (frame) => {
      Object.assign(state, { frame, points: [], cursor: null, origin: null, held: -1 });
      ask(false);
      draw();
    },
    takeStock: () => {
      const { origin } = state;
      state.proposals = /** @type {Proposal[]} */ (json("proposals") ?? []);
      if (origin) state.origin = state.proposals.find((one) => one.prediction === origin.prediction && one.atrium === origin.atrium) ?? null;
      draw();
    },
  };
}

/**
 * @param {HTMLFormElement} form @param {string} tool @param {number} frame @param {Point[]} points
 * @param {Proposal | null} origin @returns {Promise<{id: string, title: string, value: string, provisional: boolean} | null>}
 */
async function store(form, tool, frame, [start, end], origin) {
  const sent = new FormData(form);
  const from = origin ? { proposal: origin.prediction, proposal_atrium: origin.atrium } : {};
  const more = { tool, frame, start_row: start[0], start_column: start[1], end_row: end[0], end_column: end[1], ...from };
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

/** A proposed caliper has become a reader's measurement: the answer beside the scan says so. @param {Proposal} one */
function settle(one) {
  one.confirmed = true;
  const chosen = `.check-proposal[data-prediction="${one.prediction}"][data-atrium="${one.atrium}"]`;
  for (const button of list(chosen, HTMLElement)) {
    const tag = button.previousElementSibling;
    if (tag) tag.textContent = inWords("confirmed");
    button.remove();
  }
}

/** @param {HTMLCanvasElement} canvas @returns {Point} */
function middle({ width, height }) {
  return [height / 2, width / 2];
}
