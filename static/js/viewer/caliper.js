// @ts-check
// Calipers: two points on a frame, set by pointer, pen, touch or the arrow keys, and stored by the server.

import { inWords } from "../language.js";
import { Caliper, isLikely, STEP } from "../logic/caliper.js";
import { sizeOf } from "../logic/picture.js";
import { pointed, shownSize, squared } from "../logic/zoom.js";
import { element, json, list } from "../page.js";
import { bind } from "../shortcuts.js";
import { replaceKeepingWords } from "../words.js";
import { setUpCalibration } from "./calibration.js";
import { box, cross, line, proposed } from "./marks.js";
import { lengthWords } from "./scale.js";

/** @typedef {import("../logic/caliper.js").Measurement} Measurement */
/** @typedef {import("../logic/caliper.js").Point} Point */
/** @typedef {import("../logic/caliper.js").Proposal} Proposal */
/** @typedef {{id: string, title: string, value: string, withdraw: string, provisional: boolean}} Stored  what the server answers */
/** @typedef {import("../logic/planes.js").Across} Across */
/**
 * @typedef {Object} Surface  what calipers are drawn on: the frames, or a plane that is cut through them
 * @property {Across} across
 * @property {SVGSVGElement} marks
 * @property {HTMLCanvasElement} canvas
 * @property {import("../logic/picture.js").Picture} picture
 * @property {() => number} number  of the frame, or cut, that it shows
 */
/** @typedef {{surfaces: Surface[], onMeasuring: () => void, goTo: (frame: number) => Promise<void>}} Place */

/** @param {Place} place the frames first @returns {{isActive: () => boolean, measures: (across: Across) => boolean, show: (across: Across) => void, takeStock: () => void}} */
export function setUpCaliper({ surfaces, onMeasuring, goTo }) {
  const [{ canvas, picture }] = surfaces;
  const size = sizeOf(picture);
  const form = document.getElementById("caliper");
  const caliper = new Caliper(size);
  const stored = /** @type {Measurement[]} */ (json("measurements") ?? []);
  const advised = /** @type {{frame: number, corners: [Point, Point], words: string}[]} */ (json("advice-places") ?? []);
  /** @type {Proposal[]} */
  let proposals = [];
  /** The one that is measured on. */
  const inHand = () => surfaces.find(({ across }) => across === caliper.across) ?? surfaces[0];
  /** @param {Point} start @param {Point} end */
  const words = (start, end) => lengthWords(inHand().picture, caliper.frame, start, end);
  const scale = setUpCalibration({ caliper, change, putAway: () => choose("window") });

  /** Everything as the caliper is now. */
  function change() {
    draw();
    ask();
  }

  function draw() {
    for (const surface of surfaces) {
      const isMine = surface.across === caliper.across && surface.number() === caliper.frame;
      surface.marks.replaceChildren(...others(surface), ...(isMine ? pending(surface) : []));
    }
    const said = document.getElementById("caliper-words");
    if (said instanceof HTMLOutputElement) said.value = asked(caliper, words); // nobody measures on a signed case
  }

  /** What others have drawn on what a surface shows. @param {Surface} surface */
  function others({ across, picture: { aspect, columns }, number }) {
    /** @param {Point} point @returns {Point} where it is drawn */
    const at = (point) => squared(point, aspect);
    const mine = stored
      .filter((one) => one.across === across && one.frame === number())
      .map((one) => line(at(one.start), at(one.end), one.words, one.provisional ? "provisional" : "", columns, one.length));
    if (across !== "frames") return mine;
    /** @param {{frame: number}} one */
    const isHere = ({ frame }) => frame === number();
    return [
      ...mine,
      ...advised.filter(isHere).map((one) => box([at(one.corners[0]), at(one.corners[1])], one.words)),
      ...proposals.filter((one) => isHere(one) && one !== caliper.origin && !one.confirmed).map((one) => proposed({ ...one, start: at(one.start), end: at(one.end) }, canvas)),
    ];
  }

  /** What is being set. @param {Surface} surface */
  function pending({ picture: { aspect, columns } }) {
    /** @param {Point} point @returns {Point} where it is drawn */
    const at = (point) => squared(point, aspect);
    const [start] = caliper.points;
    const [from, to] = caliper.span ?? [start, start];
    const shown = from ? [line(at(from), at(to), "", "pending", columns, words(from, to)), ...scale.marks().map((mark) => cross(at(mark)))] : [];
    return caliper.cursor && !caliper.isDone ? [...shown, cross(at(caliper.cursor))] : shown;
  }

  /** @param {string} tool */
  function choose(tool) {
    if (tool !== "distance") turnTo(surfaces[0]);
    caliper.choose(tool);
    takeUp();
    if (tool === "calibrate") scale.look();
  }

  /** The tool is in the hand, or is put away. */
  function takeUp() {
    for (const button of list("#tool-choice button", HTMLButtonElement)) {
      button.setAttribute("aria-pressed", String(button.value === caliper.tool));
    }
    for (const surface of surfaces) surface.canvas.classList.toggle("measuring", caliper.measures(surface.across));
    if (caliper.isActive) {
      canvas.focus();
      onMeasuring();
    }
    change();
  }

  /** Once both ends are set, ask for what else belongs to the measurement. */
  function ask() {
    if (!form) return;
    const card = scale.ask();
    if (card && !caliper.isDragged) besideTheLine(card, inHand().marks);
    const isAsked = caliper.isDone && caliper.tool !== "calibrate";
    form.hidden = !isAsked;
    if (!isAsked) return;
    const isWidth = caliper.tool === "atrial_width";
    element("atrial-fields", HTMLElement).hidden = !isWidth;
    for (const button of list(".of-a-side", HTMLButtonElement)) {
      const isMeant = isLikely(caliper.origin, button.value);
      button.hidden = !isWidth;
      for (const name of ["primary", "quiet"]) button.classList.toggle(name, isMeant === (name === "primary"));
    }
    const plain = element("store", HTMLButtonElement);
    plain.textContent = isWidth ? inWords("Store, side not said") : inWords("Store");
    for (const name of ["primary", "quiet"]) plain.classList.toggle(name, isWidth === (name === "quiet"));
    const [start, end] = caliper.points;
    element("caliper-length", HTMLElement).textContent = words(start, end);
    sayState();
    if (!caliper.isDragged) besideTheLine(form, inHand().marks);
  }

  /** @param {Proposal} proposal */
  async function check(proposal) {
    if (proposal.frame !== surfaces[0].number()) await goTo(proposal.frame);
    turnTo(surfaces[0]);
    if (form instanceof HTMLFormElement) form.reset();
    caliper.check(proposal);
    takeUp();
  }

  /** Measure on what this surface shows. @param {Surface} surface */
  function turnTo({ across, number, picture: mine }) {
    if (caliper.across === across && caliper.frame === number()) return;
    caliper.turnTo(number(), across, sizeOf(mine));
  }

  for (const surface of surfaces) {
    const mine = sizeOf(surface.picture);
    const box = () => surface.marks.getBoundingClientRect();
    const isMine = () => caliper.isDragged && caliper.across === surface.across;
    surface.canvas.addEventListener("pointerdown", (event) => {
      if (!caliper.measures(surface.across) || event.button !== 0 || event.shiftKey) return;
      turnTo(surface);
      caliper.press(pointed(box(), mine, event), shownSize(box(), mine));
      change();
    });
    surface.canvas.addEventListener("pointermove", (event) => {
      if (!isMine()) return;
      caliper.drag(pointed(box(), mine, event));
      change();
    });
    surface.canvas.addEventListener("pointerup", (event) => {
      if (!isMine()) return;
      caliper.release(pointed(box(), mine, event));
      change();
    });
  }
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
  for (const { across, canvas: on } of surfaces) {
    bind(
      "measuring",
      { up: move(-1, 0), down: move(1, 0), left: move(0, -1), right: move(0, 1), set, leave: () => choose("window") },
      { on, when: () => caliper.measures(across) },
    );
    on.addEventListener("focus", () => {
      const surface = surfaces.find((one) => one.across === across);
      if (surface && caliper.measures(across)) turnTo(surface);
    });
  }
  bind("tools", {
    window: () => choose("window"),
    distance: () => choose("distance"),
    atrialWidth: () => choose("atrial_width"),
  });
  bind("calibrating", { calibrate: () => choose("calibrate") });
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
    element("plane-confirmed", HTMLButtonElement).addEventListener("click", () => {
      const isLeft = checks().some(({ checked }) => !checked);
      for (const check of checks()) check.checked = isLeft;
      sayState();
    });
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const answer = await store(form, event.submitter, caliper);
      if (!answer) return;
      const [start, end] = caliper.points;
      offerUndo(form, answer, Boolean(caliper.origin));
      if (caliper.origin) settle(caliper.origin);
      stored.push({ id: answer.id, frame: caliper.frame, across: caliper.across, start, end, words: `${answer.title}: ${answer.value}`, length: answer.value, provisional: answer.provisional });
      form.reset();
      choose("window");
    });
  }

  /**
   * What was just stored is taken back in one press: withdrawn, with that as its reason.
   * @param {HTMLFormElement} form @param {Stored} one @param {boolean} wasProposed the page then offers it again
   */
  function offerUndo(form, one, wasProposed) {
    const button = element("undo", HTMLButtonElement);
    const words = button.querySelector("span");
    if (words) words.textContent = inWords("Undo {length}", { length: one.value });
    button.hidden = false;
    button.onclick = async () => {
      button.hidden = true;
      const sent = new FormData(form);
      sent.set("reason", inWords("Taken back right after it was stored."));
      const response = await fetch(one.withdraw, { method: "POST", body: sent, redirect: "manual" });
      if (response.type !== "opaqueredirect" || wasProposed) return location.reload();
      stored.splice(stored.findIndex(({ id }) => id === one.id), 1);
      await renewFindings(form);
      draw();
    };
  }

  return {
    isActive: () => caliper.isActive,
    measures: (across) => caliper.measures(across),
    show: (across) => {
      const surface = surfaces.find((one) => one.across === across);
      if (surface && caliper.across === across) caliper.turnTo(surface.number(), across, sizeOf(surface.picture));
      change();
      if (caliper.tool === "calibrate") scale.look();
    },
    takeStock: () => {
      proposals = /** @type {Proposal[]} */ (json("proposals") ?? []);
      caliper.renew(proposals);
      draw();
    },
  };
}

/**
 * @param {Caliper} caliper @param {(start: Point, end: Point) => string} words how long a line is
 * @returns {string} what to do with it, or how long it is
 */
function asked({ isActive, tool, origin, points, span }, words) {
  if (!isActive) return "";
  if (origin) return `${inWords("Proposed: drag an end, or move it with the arrows (Enter takes the other end); confirm the plane, and store.")} ${words(points[0], points[1])}`;
  if (tool === "calibrate" && !span) return inWords("Drag from one end of the depth scale to the other, or along anything whose length you know.");
  if (span) return words(span[0], span[1]);
  return inWords("Drag from one inner wall to the other, or move with the arrows and press Enter at both ends.");
}

/** @returns {HTMLInputElement[]} the points of the measuring plane */
function checks() {
  return list("#caliper input[name=checklist]", HTMLInputElement);
}

const APART = 20; // screen pixels between the line and its card

/** Where the line can still be seen: beside it, on the side that has room. @param {HTMLElement} card @param {SVGSVGElement} marks */
function besideTheLine(card, marks) {
  const drawn = marks.querySelector(".pending")?.getBoundingClientRect();
  const place = card.offsetParent?.getBoundingClientRect();
  if (!drawn || !place) return;
  const right = drawn.right - place.left + APART;
  const left = right + card.offsetWidth <= place.width ? right : drawn.left - place.left - APART - card.offsetWidth;
  const top = (drawn.top + drawn.bottom) / 2 - place.top - card.offsetHeight / 2;
  card.style.left = `${within(left, place.width - card.offsetWidth)}px`;
  card.style.top = `${within(top, place.height - card.offsetHeight)}px`;
}

/** @param {number} value @param {number} most @returns {number} from 0 to the most */
function within(value, most) {
  return Math.max(0, Math.min(most, value));
}

/** Whether what is about to be stored counts: the whole checklist makes a width more than provisional. */
function sayState() {
  const missing = checks().filter(({ checked }) => !checked).length;
  element("plane-confirmed", HTMLButtonElement).setAttribute("aria-pressed", String(!missing));
  element("caliper-state", HTMLElement).textContent = missing
    ? inWords("Provisional until the whole plane is confirmed: {missing} left.", { missing: String(missing) })
    : inWords("The plane is confirmed.");
}

/**
 * @param {HTMLFormElement} form @param {HTMLElement | null} button that was pressed: it says the side
 * @param {Caliper} caliper with both ends set
 * @returns {Promise<Stored | null>}
 */
async function store(form, button, { tool, frame, across, points: [start, end], origin }) {
  const sent = new FormData(form, button);
  const from = origin ? { proposal: origin.prediction, proposal_atrium: origin.atrium } : {};
  const more = { tool, frame, across: across === "frames" ? "" : across, start_row: start[0], start_column: start[1], end_row: end[0], end_column: end[1], ...from };
  for (const [name, value] of Object.entries(more)) sent.set(name, String(value));
  const response = await fetch(form.action, { method: "POST", body: sent });
  const answer = await response.json().catch(() => ({ detail: inWords("The measurement was not stored. Try again.") }));
  if (!response.ok) {
    element("caliper-length", HTMLElement).textContent = answer.detail;
    return null;
  }
  await renewFindings(form);
  return answer;
}

/** @param {HTMLFormElement} form */
async function renewFindings(form) {
  const page = await fetch(form.dataset.findings ?? "");
  if (page.ok) renew(await page.text());
}

/** What is measured, and what the verdict says of it. @param {string} html */
function renew(html) {
  replaceKeepingWords(element("findings-box", HTMLElement), html);
  const verdict = document.getElementById("verdict-width");
  if (verdict) verdict.textContent = element("findings", HTMLElement).dataset.widthAgrees ?? "";
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
