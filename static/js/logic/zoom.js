// @ts-check
// Zoom and pan, and which pixel of a scan lies under a place on the screen.

const MOST = 8;

/** @typedef {[number, number]} Point  row and column in pixels; 0 is the middle of the first pixel */
/** @typedef {{width: number, height: number}} Size  in pixels of the scan */
/** @typedef {Size & {clientWidth: number, clientHeight: number}} Screen  a canvas: its pixels, and those it takes on the screen */
/** @typedef {{left: number, top: number, width: number, height: number}} Box  on the screen */
/** @typedef {{scale: number, x: number, y: number}} Place  x, y: what stands in the middle, as shares of the picture */

/** @type {Place} */
const WHOLE = { scale: 1, x: 0.5, y: 0.5 };

/**
 * Where the picture shows something: a scan in a wide black field starts enlarged.
 * @param {Uint8Array | Uint16Array} pixels @param {number} rows @param {number} columns @returns {Place}
 */
export function content(pixels, rows, columns) {
  let [top, bottom, left, right] = [rows, -1, columns, -1];
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      if (!pixels[row * columns + column]) continue;
      top = Math.min(top, row);
      bottom = row;
      left = Math.min(left, column);
      right = Math.max(right, column);
    }
  }
  const share = Math.max((bottom - top + 1) / rows, (right - left + 1) / columns) * 1.15;
  if (bottom < 0 || share > 0.8) return { ...WHOLE };
  return { scale: Math.min(MOST, 1 / share), x: (left + right) / 2 / columns, y: (top + bottom) / 2 / rows };
}

/** @param {Place} place @param {number} factor @returns {Place} nearer or farther, never smaller than the whole */
export function zoomed(place, factor) {
  const scale = Math.min(MOST, Math.max(1, place.scale * factor));
  return scale === 1 ? { ...WHOLE } : { ...place, scale };
}

/** @param {Screen} canvas @returns {[number, number]} width and height of the picture on the screen before zooming */
function drawn(canvas) {
  const fit = Math.min(canvas.clientWidth / canvas.width, canvas.clientHeight / canvas.height);
  return [canvas.width * fit, canvas.height * fit];
}

/** @param {Box} box of a layer as large as the scan @param {Size} size @returns {number} screen pixels that one of the scan takes */
export function shownSize(box, size) {
  return Math.min(box.width / size.width, box.height / size.height);
}

/**
 * @param {Box} box of a layer as large as the scan @param {Size} size of the scan
 * @param {{clientX: number, clientY: number}} pointer @returns {Point} the nearest one within the scan
 */
export function pointed(box, size, { clientX, clientY }) {
  const fit = shownSize(box, size);
  const left = box.left + (box.width - size.width * fit) / 2;
  const top = box.top + (box.height - size.height * fit) / 2;
  return inside(size, [(clientY - top) / fit - 0.5, (clientX - left) / fit - 0.5]);
}

/** @param {Size} size @param {Point} point @returns {Point} the nearest one within the scan */
export function inside(size, [row, column]) {
  return [within(row, size.height - 1), within(column, size.width - 1)];
}

/** @param {Screen} canvas @param {Place} place @param {number} dx @param {number} dy in screen pixels @returns {Place} */
export function panned(canvas, place, dx, dy) {
  const [width, height] = drawn(canvas);
  return { ...place, x: within(place.x - dx / width / place.scale, 1), y: within(place.y - dy / height / place.scale, 1) };
}

/** @param {Screen} canvas the scan @param {Place} place @returns {string} as CSS writes how its layers are moved */
export function transform(canvas, place) {
  const [width, height] = drawn(canvas);
  const [dx, dy] = [(0.5 - place.x) * width * place.scale, (0.5 - place.y) * height * place.scale];
  return `translate(${dx}px, ${dy}px) scale(${place.scale})`;
}

/** @param {number} value @param {number} last @returns {number} from 0 to the last */
function within(value, last) {
  return Math.max(0, Math.min(last, value));
}
