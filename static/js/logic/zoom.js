// @ts-check
// Zoom and pan, and which pixel of a scan lies under a place on the screen.

const MOST = 8;

/** @typedef {[number, number]} Point  row and column in pixels; 0 is the middle of the first pixel */
/** @typedef {{width: number, height: number, aspect: number}} Size  in pixels of the scan; aspect: height of each over its width */
/** @typedef {{clientWidth: number, clientHeight: number}} Screen  a layer: what it takes on the screen */
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

/**
 * @param {Screen} screen @param {Size} size @param {number} [aspect] that the pixels are drawn in: their own
 * @returns {[number, number]} width and height of the picture on the screen before zooming
 */
function drawn(screen, { width, height, aspect: own }, aspect = own) {
  const fit = Math.min(screen.clientWidth / width, screen.clientHeight / (height * aspect));
  return [width * fit, height * aspect * fit];
}

/** @param {Box} box of a layer as large as the scan @param {Size} size @returns {number} screen pixels that one of the scan is wide */
export function shownSize(box, { width, height, aspect }) {
  return Math.min(box.width / width, box.height / (height * aspect));
}

/**
 * Where a point lies among square pixels as wide as the scan's: lines and letters drawn there keep their shape.
 * @param {Point} point @param {number} aspect @returns {Point}
 */
export function squared([row, column], aspect) {
  return [(row + 0.5) * aspect - 0.5, column];
}

/**
 * @param {Box} box of a layer as large as the scan @param {Size} size of the scan
 * @param {{clientX: number, clientY: number}} pointer @returns {Point} the nearest one within the scan
 */
export function pointed(box, size, { clientX, clientY }) {
  const across = shownSize(box, size);
  const down = across * size.aspect;
  const left = box.left + (box.width - size.width * across) / 2;
  const top = box.top + (box.height - size.height * down) / 2;
  return inside(size, [(clientY - top) / down - 0.5, (clientX - left) / across - 0.5]);
}

/** @param {Size} size @param {Point} point @returns {Point} the nearest one within the scan */
export function inside(size, [row, column]) {
  return [within(row, size.height - 1), within(column, size.width - 1)];
}

/** @param {Screen} screen @param {Size} size @param {Place} place @param {number} dx @param {number} dy in screen pixels @returns {Place} */
export function panned(screen, size, place, dx, dy) {
  const [width, height] = drawn(screen, size);
  return { ...place, x: within(place.x - dx / width / place.scale, 1), y: within(place.y - dy / height / place.scale, 1) };
}

/** @param {Screen} screen @param {Size} size @param {Place} place @returns {string} as CSS writes how the layers are moved */
export function transform(screen, size, place) {
  const [width, height] = drawn(screen, size);
  const [dx, dy] = [(0.5 - place.x) * width * place.scale, (0.5 - place.y) * height * place.scale];
  return `translate(${dx}px, ${dy}px) scale(${place.scale})`;
}

/**
 * A canvas holds the scan's own pixels, which a browser fits into its box as squares: what makes them true.
 * @param {Screen} screen @param {Size} size @returns {string} as CSS writes it, before the layers are moved; "" for squares
 */
export function stretch(screen, size) {
  if (size.aspect === 1) return "";
  const [wide, high] = drawn(screen, size);
  const [width, height] = drawn(screen, size, 1);
  return `scale(${wide / width}, ${high / height})`;
}

/** @param {number} value @param {number} last @returns {number} from 0 to the last */
function within(value, last) {
  return Math.max(0, Math.min(last, value));
}
