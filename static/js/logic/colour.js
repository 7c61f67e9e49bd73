// @ts-check
// Two colour maps of our own, made in Oklab so that equal steps of value are equal steps of lightness.

/** @typedef {[number, number, number]} Triple */

const SIZE = 256;

// Lightness, chroma and hue (degrees) along the way; lightness rises evenly from dark to bright.
/** @type {Triple[]} */
const HEAT = [
  [0.22, 0.1, 290],
  [0.36, 0.17, 318],
  [0.5, 0.19, 5],
  [0.64, 0.18, 42],
  [0.78, 0.16, 72],
  [0.93, 0.15, 105],
];
// Away from zero to both sides: blue against orange stays apart for every colour vision.
/** @type {Triple[]} */
const AGAINST = [[0.86, 0.05, 240], [0.73, 0.13, 246], [0.6, 0.19, 256]];
/** @type {Triple[]} */
const TOWARDS = [[0.88, 0.05, 75], [0.79, 0.14, 66], [0.69, 0.19, 46]];

/** @param {Triple} lch @returns {Triple} sRGB, 0 to 255 */
function rgb([lightness, chroma, hue]) {
  const angle = (hue * Math.PI) / 180;
  const a = chroma * Math.cos(angle);
  const b = chroma * Math.sin(angle);
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  return [
    coded(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s),
    coded(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s),
    coded(-0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s),
  ];
}

/** @param {number} linear @returns {number} */
function coded(linear) {
  const light = Math.min(1, Math.max(0, linear));
  return 255 * (light <= 0.0031308 ? 12.92 * light : 1.055 * light ** (1 / 2.4) - 0.055);
}

/** @param {Triple[]} stops @param {number} place 0 to 1 @returns {Triple} */
function between(stops, place) {
  const scaled = place * (stops.length - 1);
  const index = Math.min(stops.length - 2, Math.floor(scaled));
  const rest = scaled - index;
  const [from, to] = [stops[index], stops[index + 1]];
  const turn = ((to[2] - from[2] + 540) % 360) - 180;
  return [from[0] + rest * (to[0] - from[0]), from[1] + rest * (to[1] - from[1]), from[2] + rest * turn];
}

/** @param {(place: number) => Triple} colour @returns {Uint8ClampedArray} 256 times red, green, blue */
function table(colour) {
  const found = new Uint8ClampedArray(3 * SIZE);
  for (let index = 0; index < SIZE; index++) found.set(colour(index / (SIZE - 1)), 3 * index);
  return found;
}

/** For values 0 to 1. */
export const magnitude = table((place) => rgb(between(HEAT, place)));

/** For values -1 to 1: index 0 is -1, index 255 is 1. */
export const signed = table((place) =>
  place < 0.5 ? rgb(between(AGAINST, 1 - 2 * place)) : rgb(between(TOWARDS, 2 * place - 1)),
);
