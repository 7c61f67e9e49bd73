// @ts-check
// Zoom and pan: all layers are moved together, their pixels stay what they are.

const MOST = 8;

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

/** @param {HTMLCanvasElement} canvas @returns {[number, number]} size of the picture on the screen before zooming */
function drawn(canvas) {
  const fit = Math.min(canvas.clientWidth / canvas.width, canvas.clientHeight / canvas.height);
  return [canvas.width * fit, canvas.height * fit];
}

/** @param {Element} layer @param {HTMLCanvasElement} canvas @returns {number} screen pixels that one of the scan takes */
export function shownSize(layer, canvas) {
  const box = layer.getBoundingClientRect();
  return Math.min(box.width / canvas.width, box.height / canvas.height);
}

/**
 * @param {Element} layer as large as the scan on the screen @param {HTMLCanvasElement} canvas the scan
 * @param {PointerEvent} event @returns {[number, number]} row and column in pixels, within the scan
 */
export function pointed(layer, canvas, event) {
  const box = layer.getBoundingClientRect();
  const fit = shownSize(layer, canvas);
  const left = box.left + (box.width - canvas.width * fit) / 2;
  const top = box.top + (box.height - canvas.height * fit) / 2;
  return inside(canvas, [(event.clientY - top) / fit - 0.5, (event.clientX - left) / fit - 0.5]);
}

/** @param {HTMLCanvasElement} canvas @param {[number, number]} point @returns {[number, number]} */
export function inside(canvas, [row, column]) {
  const within = (/** @type {number} */ value, /** @type {number} */ last) => Math.max(0, Math.min(last, value));
  return [within(row, canvas.height - 1), within(column, canvas.width - 1)];
}

/** @param {HTMLCanvasElement} canvas @param {Place} place @param {number} dx @param {number} dy in screen pixels */
export function panned(canvas, place, dx, dy) {
  const [width, height] = drawn(canvas);
  const within = (/** @type {number} */ share) => Math.min(1, Math.max(0, share));
  return { ...place, x: within(place.x - dx / width / place.scale), y: within(place.y - dy / height / place.scale) };
}

/** @param {HTMLCanvasElement} canvas the scan @param {(HTMLElement | SVGElement)[]} layers @param {Place} place */
export function apply(canvas, layers, place) {
  const [width, height] = drawn(canvas);
  const [dx, dy] = [(0.5 - place.x) * width * place.scale, (0.5 - place.y) * height * place.scale];
  for (const layer of layers) layer.style.transform = `translate(${dx}px, ${dy}px) scale(${place.scale})`;
}
