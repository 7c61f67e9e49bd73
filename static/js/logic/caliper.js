// @ts-check
// A caliper that is being set: two points on a frame, by dragging or by the arrow keys, and how long it is.

import { inside } from "./zoom.js";

/** @typedef {import("./zoom.js").Point} Point */
/** @typedef {import("./zoom.js").Size} Size */

/**
 * @typedef {Object} Measurement  one that a reader has stored
 * @property {string} id
 * @property {number} frame
 * @property {import("./planes.js").Across} across  frame is a number of this plane
 * @property {Point} start
 * @property {Point} end
 * @property {string} words
 * @property {string} length  in words, as it stands beside the line
 * @property {boolean} provisional
 */

/**
 * @typedef {Object} Proposal  a caliper that a model proposes
 * @property {string} prediction
 * @property {number} atrium
 * @property {number} frame
 * @property {Point} start
 * @property {Point} end
 * @property {string} words
 * @property {string} label
 * @property {string} side  "left" or "right" where the file knows whose they are, else ""; far, near or beside the beam
 * @property {boolean} confirmed
 */

const GRAB = 14; // screen pixels around an end within which a pointer takes hold of it
const TAP = 1; // pixels of the scan: what is dragged no farther measures nothing
export const STEP = { fine: 0.5, coarse: 10 }; // pixels of the scan that an arrow key moves

/**
 * @param {Point} start @param {Point} end in pixels
 * @param {[number, number]} spacing mm between rows, between columns; or the sides of a pixel
 * @returns {number} in what the spacing is in
 */
export function length(start, end, [mmDown, mmRight]) {
  return Math.hypot((end[0] - start[0]) * mmDown, (end[1] - start[1]) * mmRight);
}

/**
 * What a length is counted in where nothing says millimetres.
 * @param {number} aspect @returns {[number, number]} the sides of a pixel, the shorter one 1
 */
export function pixelSides(aspect) {
  return [Math.max(aspect, 1), Math.max(1 / aspect, 1)];
}

/**
 * @param {Point[]} ends @param {Point} point in pixels @param {number} shown screen pixels that one of the scan is wide
 * @param {number} aspect @returns {number} the index of the end that a pointer there takes hold of; -1 for none
 */
export function endAt(ends, point, shown, aspect) {
  if (ends.length < 2) return -1;
  const away = ends.map((end) => length(end, point, [aspect, 1]) * shown);
  const nearest = away[0] < away[1] ? 0 : 1;
  return away[nearest] <= GRAB ? nearest : -1;
}

/**
 * What stays of a written length once its line was moved: what a person typed, and nothing that a mark's choice filled in.
 *
 * @param {string} written @param {string | null} filled
 */
export function keptLength(written, filled) {
  return written === filled ? "" : written;
}

/**
 * @param {Proposal | null} origin of a line @param {string} side
 * @returns {boolean} whether the model would call it so; a reader may know better than the file's directions
 */
export function isLikely(origin, side) {
  return !origin || !["left", "right"].includes(origin.side) || origin.side === side;
}

/** Which tool is in the hand, where its ends are, and the proposal that they came from. */
export class Caliper {
  tool = "window";
  frame = 0;
  /** @type {import("./planes.js").Across} what the frame is one of */ across = "frames";
  /** @type {Point[]} */ points = [];
  /** @type {Point | null} where the next end would be set */ cursor = null;
  /** @type {Proposal | null} the proposed caliper that is being checked */ origin = null;
  held = -1; // the index of the end that is moved
  isDragged = false;

  /** @param {Size} size of the frames */
  constructor(size) {
    this.size = size;
  }

  get isActive() {
    return this.tool !== "window";
  }

  /** Whether both ends are set, so that it can be stored. */
  get isDone() {
    return this.points.length === 2;
  }

  /** @returns {[Point, Point] | null} from the first end to the second, or to where it would be set */
  get span() {
    const [start, end] = this.points;
    const far = end ?? this.cursor;
    return start && far ? [start, far] : null;
  }

  /** @param {string} tool */
  choose(tool) {
    Object.assign(this, { tool, points: [], cursor: null, origin: null, held: -1, isDragged: false });
  }

  /**
   * @param {number} frame another one: nothing that was begun on the last is kept
   * @param {import("./planes.js").Across} [across] @param {Size} [size] of its pictures
   */
  turnTo(frame, across = "frames", size = this.size) {
    this.choose(this.tool);
    Object.assign(this, { frame, across, size });
  }

  /** @param {import("./planes.js").Across} across @returns {boolean} whether the tool measures there: widths are those of frames */
  measures(across) {
    return this.isActive && (across === "frames" || this.tool === "distance");
  }

  /** @param {Proposal} proposal to check: its ends may be moved, and it is stored as a reader's own */
  check(proposal) {
    this.choose("atrial_width");
    Object.assign(this, { points: [proposal.start, proposal.end], origin: proposal, held: 1 });
  }

  /** @param {Point} start @param {Point} end of a line that is proposed: either end may be moved */
  lay(start, end) {
    Object.assign(this, { points: [start, end], cursor: null, held: -1 });
  }

  /** @param {Point} point where a pointer went down @param {number} shown screen pixels that one of the scan is wide */
  press(point, shown) {
    this.isDragged = true;
    this.held = endAt(this.points, point, shown, this.size.aspect);
    if (this.held < 0) Object.assign(this, { points: [point], cursor: point, origin: null });
  }

  /** @param {Point} point where the pointer is now */
  drag(point) {
    if (this.held >= 0) this.#place(this.held, point);
    else this.cursor = point;
  }

  /** @param {Point} point where the pointer went up */
  release(point) {
    this.isDragged = false;
    if (this.held >= 0) return;
    if (length(this.points[0], point, [1, 1]) > TAP) this.set(point);
    else this.choose(this.tool);
  }

  /** @param {number} down @param {number} right in pixels; the end of a proposal moves, or else the cursor */
  move(down, right) {
    const [row, column] = this.origin ? this.points[this.held] : this.#here();
    const point = inside(this.size, [row + down, column + right]);
    if (this.origin) this.#place(this.held, point);
    else this.cursor = point;
  }

  /** Sets an end at the cursor; of a proposal, takes hold of its other end. */
  enter() {
    if (this.origin) this.held = 1 - this.held;
    else this.set(this.#here());
  }

  /** @param {Point} point of the next end; a third begins anew */
  set(point) {
    if (this.isDone) this.points = [];
    this.points.push(point);
    if (this.isDone) this.cursor = null;
  }

  /** @param {Proposal[]} proposals as the server says them now: the one that is checked is among them, or is gone */
  renew(proposals) {
    const { origin } = this;
    if (!origin) return;
    this.origin = proposals.find((one) => one.prediction === origin.prediction && one.atrium === origin.atrium) ?? null;
  }

  /** @returns {Point} */
  #here() {
    return this.cursor ?? [this.size.height / 2, this.size.width / 2];
  }

  /** @param {number} number @param {Point} point */
  #place(number, point) {
    this.points = this.points.map((old, index) => (index === number ? point : old));
  }
}
