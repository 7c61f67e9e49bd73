// @ts-check
// Calipers: two points on a frame, set by pointer, pen, touch or the arrow keys, and stored by the server.

import { decimal, inWords } from "../language.js";
import { Caliper, length, STEP } from "../logic/caliper.js";
import { pointed, shownSize } from "../logic/zoom.js";
import { element, json, list } from "../page.js";
import { bind } from "../shortcuts.js";
import { replaceKeepingWords } from "../words.js";
import { box, cross, line, proposed } from "./marks.js";

/** @typedef {import("../logic/caliper.js").Measurement} Measurement */
/** @typedef {import("../logic/caliper.js").Point} Point */
/** @typedef {import("../logic/caliper.js").Proposal} Proposal */
/** @typedef {{marks: SVGSVGElement, canvas: HTMLCanvasElement, spacing: [number, number] | null, onMeasuring: () => void, goTo: (frame: number) => Promise<void>}} Place */

/** @param {Point} start @param {Point} end @param {[number, number] | null} spacing mm between rows, columns */
export function lengthWords(start, end, spacing) {
  const words = decimal(length(start, end, spacing), 1);
  return spacing ? `${words} mm` : inWords("{length} pixels (no scale known)", { length: words });
}

/** @param {Place} place @returns {{isActive: () => boolean, show: (frame: number) => void, takeStock: () => void}} */
export function setUpCaliper({ marks, canvas, spacing, onMeasuring, goTo }) {
  const form = document.getElementById("caliper");
  const caliper = new Caliper(canvas);
  const stored = /** @type {Measurement[]} */ (json("measurements") ?? []);
  const advised = /** @type {{frame: number, corners: [Point, Point], words: string}[]} */ (json("advice-places") ?? []);
  /** @type {Proposal[]} */
  let proposals = [];

  /** Everything as the caliper is now. */
  function change() {
    draw();
    ask();
  }

  function draw() {
    marks.replaceChildren(...others(), ...pending());
    const words = document.getElementById("caliper-words");
    if (words instanceof HTMLOutputElement) words.value = inHand(caliper, spacing); // nobody measures on a signed case
  }

  /** What others have drawn on this frame. */
  function others() {
    /** @param {{frame: number}} one */
    const isHere = ({ frame }) => frame === caliper.frame;
    return [
      ...stored.filter(isHere).map((one) => line(one.start, one.end, one.words, one.provisional ? "provisional" : "")),
      ...advised.filter(isHere).map(({ corners, words }) => box(corners, words)),
      ...proposals.filter((one) => isHere(one) && one !== caliper.origin && !one.confirmed).map((one) => proposed(one, canvas)),
    ];
  }

  /** What is being set. */
  function pending() {
    const [start] = caliper.points;
    const [from, to] = caliper.span ?? [start, start];
    const shown = from ? [line(from, to, "", "pending")] : [];
    return caliper.cursor && !caliper.isDone ? [...shown, cross(caliper.cursor)] : shown;
  }

  /** @param {string} tool */
  function choose(tool) {
    caliper.choose(tool);
    takeUp();
  }

  /** The tool is in the hand, or is put away. */
  function takeUp() {
    for (const button of list("#tool-choice button", HTMLButtonElement)) {
      button.setAttribute("aria-pressed", String(button.value === caliper.tool));
    }
    canvas.classList.toggle("measuring", caliper.isActive);
    if (caliper.isActive) {
      canvas.focus();
      onMeasuring();
    }
    change();
  }

  /** Once both ends are set, ask for what else belongs to the measurement. */
  function ask() {
    if (!form) return;
    form.hidden = !caliper.isDone;
    element("atrial-fields", HTMLElement).hidden = caliper.tool !== "atrial_width";
    const [start, end] = caliper.points;
    if (caliper.isDone) element("caliper-length", HTMLElement).textContent = lengthWords(start, end, spacing);
    sayState();
  }

  /** @param {Proposal} proposal */
  async function check(proposal) {
    if (proposal.frame !== caliper.frame) await goTo(proposal.frame);
    if (form instanceof HTMLFormElement) form.reset();
    caliper.check(proposal);
    takeUp();
  }

  const shown = () => shownSize(marks.getBoundingClientRect(), canvas);
  /** @param {PointerEvent} event */
  const under = (event) => pointed(marks.getBoundingClientRect(), canvas, event);

  canvas.addEventListener("pointerdown", (event) => {
    if (!caliper.isActive || event.button !== 0 || event.shiftKey) return;
    caliper.press(under(event), shown());
    change();
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!caliper.isDragged) return;
    caliper.drag(under(event));
    change();
  });
  canvas.addEventListener("pointerup", (event) => {
    if (!caliper.isDragged) return;
    caliper.release(under(event));
    change();
  });
  /** @param {number} down @param {number} right @returns {(event: KeyboardEvent) => void} */
  const move = (down, right) => ({ shiftKey }) => {
    const step = shiftKey ? STEP.coarse : STEP.fine;
    caliper.move(step * down, step * right);
    change();
  };
  const set = () => {
    caliper.enter();
    change();
  };
  bind(
    "measuring",
    { up: move(-1, 0), down: move(1, 0), left: move(0, -1), right: move(0, 1), set, leave: () => choose("window") },
    { on: canvas, when: () => caliper.isActive },
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
    const wanted = proposals.find((one) => one.prediction === prediction && one.atrium === Number(atrium));
    if (wanted) check(wanted);
  });
  document.getElementById("caliper-discard")?.addEventListener("click", () => choose("window"));
  if (form instanceof HTMLFormElement) {
    form.addEventListener("change", sayState);
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const answer = await store(form, caliper);
      if (!answer) return;
      const [start, end] = caliper.points;
      if (caliper.origin) settle(caliper.origin);
      stored.push({ id: answer.id, frame: caliper.frame, start, end, words: `${answer.title}: ${answer.value}`, provisional: answer.provisional });
      form.reset();
      choose("window");
    });
  }

  return {
    isActive: () => caliper.isActive,
    show: (frame) => {
      caliper.turnTo(frame);
      change();
    },
    takeStock: () => {
      proposals = /** @type {Proposal[]} */ (json("proposals") ?? []);
      caliper.renew(proposals);
      draw();
    },
  };
}

/** @param {Caliper} caliper @param {[number, number] | null} spacing @returns {string} what to do with it, or how long it is */
function inHand({ isActive, origin, points, span }, spacing) {
  if (!isActive) return "";
  if (origin) return `${inWords("Proposed: drag an end, or move it with the arrows (Enter takes the other end); confirm the plane, and store.")} ${lengthWords(points[0], points[1], spacing)}`;
  if (span) return lengthWords(span[0], span[1], spacing);
  return inWords("Drag from one inner wall to the other, or move with the arrows and press Enter at both ends.");
}

/** Whether what is about to be stored counts: the whole checklist makes a width more than provisional. */
function sayState() {
  const missing = list("#caliper input[name=checklist]", HTMLInputElement).filter(({ checked }) => !checked).length;
  element("caliper-state", HTMLElement).textContent = missing
    ? inWords("Provisional until the whole plane is confirmed: {missing} left.", { missing: String(missing) })
    : inWords("The plane is confirmed.");
}

/**
 * @param {HTMLFormElement} form @param {Caliper} caliper with both ends set
 * @returns {Promise<{id: string, title: string, value: string, provisional: boolean} | null>}
 */
async function store(form, { tool, frame, points: [start, end], origin }) {
  const sent = new FormData(form);
  const from = origin ? { proposal: origin.prediction, proposal_atrium: origin.atrium } : {};
  const more = { tool, frame, start_row: start[0], start_column: start[1], end_row: end[0], end_column: end[1], ...from };
  for (const [name, value] of Object.entries(more)) sent.set(name, String(value));
  const response = await fetch(form.action, { method: "POST", body: sent });
  const answer = await response.json().catch(() => ({ detail: inWords("The measurement was not stored. Try again.") }));
  if (!response.ok) {
    element("caliper-length", HTMLElement).textContent = answer.detail;
    return null;
  }
  const page = await fetch(form.dataset.findings ?? "");
  if (page.ok) replaceKeepingWords(element("findings-box", HTMLElement), await page.text());
  return answer;
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
