// @ts-check
// What the viewer fetches: frames, maps and superpixels, each kept within a bound.

import { inWords } from "../language.js";
import { cache } from "../logic/cache.js";
import { float16 } from "../logic/heat.js";

/** @typedef {import("../logic/overlay_state.js").Overlay} Overlay */
/** @typedef {import("../logic/picture.js").Picture} Picture */
/** @typedef {import("../logic/picture.js").Pixels} Pixels */
/** @typedef {import("./superpixels.js").Superpixel} Superpixel */

const MIB = 2 ** 20;

/** @param {{byteLength: number}} array */
const bytes = ({ byteLength }) => byteLength;

const frames = cache(128 * MIB, /** @type {(pixels: Pixels) => number} */ (bytes));
const maps = cache(128 * MIB, /** @type {(values: Float32Array) => number} */ (bytes));
const lists = cache(4 * MIB, /** @type {(found: Superpixel[]) => number} */ (found) => JSON.stringify(found).length);

/** @param {Picture} picture @param {number} number @returns {Promise<Pixels>} */
export function frame(picture, number) {
  const address = `${picture.address}${number}?view=${picture.view}`;
  return frames(address, async () => {
    const response = await fetch(address);
    if (!response.ok) throw new Error(inWords("Frame {number} did not come ({status}).", { number: number + 1, status: response.status }));
    const buffer = await response.arrayBuffer();
    return picture.bits === 16 ? new Uint16Array(buffer) : new Uint8Array(buffer);
  });
}

const AT_ONCE = 3; // requests: what somebody asks for meanwhile must not wait behind them
const MOST_AHEAD = 40 * MIB; // of one plane, so that three of them are kept together
/** @type {Set<string>} */
const begun = new Set();

/** Once somebody scrolls through a stack, the rest of it comes, unless data are to be saved. @param {Picture} picture */
export function fetchAll(picture) {
  const size = picture.frames * picture.rows * picture.columns * (picture.bits / 8);
  const connection = /** @type {{saveData?: boolean} | undefined} */ (/** @type {any} */ (navigator).connection);
  if (begun.has(picture.address) || size > MOST_AHEAD || connection?.saveData) return;
  begun.add(picture.address);
  let next = 0;
  async function goOn() {
    while (next < picture.frames) await frame(picture, next++).catch(() => (next = picture.frames));
  }
  for (let count = 0; count < AT_ONCE; count++) goOn();
}

/** @param {Overlay} overlay @param {number} row which of its frames @param {string} view @returns {Promise<Float32Array>} */
export function heat(overlay, row, view) {
  const address = `${overlay.address}${row}?view=${view}`;
  return maps(address, async () => {
    const response = await fetch(address);
    if (!response.ok) throw new Error(inWords("The heatmap did not come ({status}).", { status: response.status }));
    return float16(await response.arrayBuffer());
  });
}

/**
 * @param {Overlay} overlay @param {number} row which of its frames @param {string} view
 * @returns {Promise<Superpixel[]>} the one that counted most first; none for a method without superpixels
 */
export function superpixels(overlay, row, view) {
  if (!overlay.pieces) return Promise.resolve([]);
  const address = `${overlay.pieces}${row}?view=${view}`;
  return lists(address, async () => {
    const response = await fetch(address);
    const found = response.ok ? await response.json() : {};
    const isBound = found.explanation === overlay.id && found.segments_sha256 === overlay.segments;
    if (!isBound) throw new Error(inWords("The pieces of this explanation did not come, or are not its own. Load the page again."));
    return found.pieces;
  });
}
