// @ts-check
// The scan itself: window and level of its stored values.

/**
 * @typedef {Object} Picture  as the page carries it
 * @property {string} scan
 * @property {number} frames
 * @property {number | null} frameTime  milliseconds from one frame of a loop to the next, where known
 * @property {number} rows
 * @property {number} columns
 * @property {8 | 16} bits
 * @property {[number, number] | null} window  centre and width in stored values
 * @property {[number, number] | null} spacing  mm between rows, between columns
 * @property {number} aspect  height of a pixel over its width
 * @property {import("./scale.js").Region[]} regions  parts with scales of their own, and none outside; [] where one holds everywhere
 * @property {[string, string, string, string] | null} letters  of what lies on top, at the right, at the bottom, at the left
 * @property {Plane[]} planes  the other two of a volume
 * @property {number} first  the frame to show first
 * @property {string} address
 * @property {string} view
 */

/**
 * @typedef {Object} Plane  what of it is not as a volume's frames are
 * @property {import("./planes.js").Across} across
 * @property {[string, string, string, string] | null} letters
 * @property {number} frames
 * @property {number} rows
 * @property {number} columns
 * @property {[number, number]} spacing
 * @property {number} aspect
 * @property {string} address
 */

/** @typedef {Uint8Array | Uint16Array} Pixels */
/** @typedef {{centre: number, width: number, inverted: boolean}} Window */

/** @param {Picture} picture @returns {import("./zoom.js").Size} of its frames */
export function sizeOf({ rows, columns, aspect }) {
  return { width: columns, height: rows, aspect };
}

/** Shares of the stored values, from dark to bright, between which a preset spreads its greys. */
const PRESETS = { whole: [0, 1], tissue: [0.05, 0.95], fluid: [0.5, 0.999] };

/** @param {Pixels} pixels @param {string} name of PRESETS @returns {Window | undefined} */
export function preset(pixels, name) {
  const shares = PRESETS[/** @type {keyof typeof PRESETS} */ (name)];
  if (!shares) return undefined;
  const sorted = pixels.filter((value) => value > 0).sort();
  const [low, high] = shares.map((share) => sorted[Math.floor((sorted.length - 1) * share)] ?? 0);
  return { centre: (low + high) / 2, width: Math.max(1, high - low), inverted: false };
}

/** @param {Picture} picture @param {Pixels} pixels @returns {Window} as the file says, or what fits the pixels */
export function ownWindow(picture, pixels) {
  if (picture.window) return { centre: picture.window[0], width: picture.window[1], inverted: false };
  if (picture.bits === 8) return { centre: 127.5, width: 255, inverted: false };
  const sorted = pixels.filter((value) => value > 0).sort();
  const low = sorted[Math.floor(sorted.length * 0.01)] ?? 0;
  const high = sorted[Math.floor(sorted.length * 0.995)] ?? 1;
  return { centre: (low + high) / 2, width: Math.max(1, high - low), inverted: false };
}

/**
 * @param {Pixels} pixels @param {Window} window
 * @param {Uint8ClampedArray} target red, green, blue, alpha; written to
 */
export function paint(pixels, window, target) {
  const grey = greys(window, pixels.BYTES_PER_ELEMENT === 2 ? 65536 : 256);
  for (let index = 0; index < pixels.length; index++) {
    const value = grey[pixels[index]];
    target[4 * index] = value;
    target[4 * index + 1] = value;
    target[4 * index + 2] = value;
    target[4 * index + 3] = 255;
  }
}

/** @param {Window} window @param {number} count @returns {Uint8ClampedArray} the grey of each stored value */
function greys({ centre, width, inverted }, count) {
  const found = new Uint8ClampedArray(count);
  const low = centre - width / 2;
  for (let value = 0; value < count; value++) {
    const grey = (255 * (value - low)) / width;
    found[value] = inverted ? 255 - grey : grey;
  }
  return found;
}
