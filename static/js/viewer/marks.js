// @ts-check
// Lines over the scan: what readers measured, what models propose, what an advice names.

const SVG = "http://www.w3.org/2000/svg";

/** @typedef {import("../logic/zoom.js").Point} Point */

/** @param {import("../logic/caliper.js").Proposal} one not confirmed by anybody @param {HTMLCanvasElement} canvas */
export function proposed({ start, end, words, label }, { width }) {
  const group = line(start, end, words, "proposal");
  const [left, right] = [start[1], end[1]].sort((a, b) => a - b);
  const isRight = right > 0.6 * width;
  const text = document.createElementNS(SVG, "text");
  const places = { x: isRight ? left - width / 40 : right + width / 40, y: (start[0] + end[0]) / 2, "font-size": width / 65 };
  for (const [name, value] of Object.entries(places)) text.setAttribute(name, String(value));
  text.setAttribute("text-anchor", isRight ? "end" : "start");
  text.textContent = label;
  group.append(text);
  return group;
}

/**
 * @param {Point} start @param {Point} end @param {string} words that a pointer over it is told @param {string} kind
 * @param {number} width of the scan in pixels @param {string} length that stands beside it; "" for none
 */
export function line(start, end, words, kind = "", width = 0, length = "") {
  const group = document.createElementNS(SVG, "g");
  if (kind) group.classList.add(kind);
  const drawn = document.createElementNS(SVG, "line");
  const places = { x1: start[1] + 0.5, y1: start[0] + 0.5, x2: end[1] + 0.5, y2: end[0] + 0.5 };
  for (const [name, value] of Object.entries(places)) drawn.setAttribute(name, String(value));
  const title = document.createElementNS(SVG, "title");
  title.textContent = words;
  group.append(drawn, cross(start), cross(end), title);
  if (length) group.append(beside(start, end, width, length));
  return group;
}

/** The value at the line, where it hides neither end. @param {Point} start @param {Point} end @param {number} width @param {string} words */
function beside(start, end, width, words) {
  const text = document.createElementNS(SVG, "text");
  const [left, right] = [start[1], end[1]].sort((a, b) => a - b);
  const isRight = right > 0.75 * width;
  const places = { x: isRight ? left - width / 60 : right + width / 60, y: Math.max(start[0], end[0]) + width / 45, "font-size": width / 55 };
  for (const [name, value] of Object.entries(places)) text.setAttribute(name, String(value));
  text.setAttribute("text-anchor", isRight ? "end" : "start");
  text.textContent = words;
  return text;
}

/** @param {[Point, Point]} corners of the place that an advice names @param {string} words */
export function box(corners, words) {
  const group = document.createElementNS(SVG, "g");
  group.classList.add("advised");
  const drawn = document.createElementNS(SVG, "rect");
  const [rows, columns] = [0, 1].map((axis) => corners.map((corner) => corner[axis] + 0.5));
  const places = { x: Math.min(...columns), y: Math.min(...rows) };
  const size = { width: Math.max(...columns) - places.x, height: Math.max(...rows) - places.y };
  for (const [name, value] of Object.entries({ ...places, ...size })) drawn.setAttribute(name, String(value));
  const title = document.createElementNS(SVG, "title");
  title.textContent = words;
  group.append(drawn, title);
  return group;
}

/** @param {Point} point */
export function cross([row, column]) {
  const path = document.createElementNS(SVG, "path");
  const [x, y] = [column + 0.5, row + 0.5];
  path.setAttribute("d", `M${x - 2} ${y}h4M${x} ${y - 2}v4`);
  return path;
}

const CLEAR = 0.03; // of the picture, around the place: what lies there is what somebody looks at

/** @param {Point} place among square pixels @param {import("../logic/zoom.js").Size} size @returns {SVGElement[]} lines through all of the picture that leave the place itself free */
export function crossing([row, column], { width, height, aspect }) {
  const [x, y, high] = [column + 0.5, row + 0.5, height * aspect];
  const free = CLEAR * Math.min(width, high);
  const parts = [
    { x1: 0, y1: y, x2: x - free, y2: y },
    { x1: x + free, y1: y, x2: width, y2: y },
    { x1: x, y1: 0, x2: x, y2: y - free },
    { x1: x, y1: y + free, x2: x, y2: high },
  ];
  return parts.map((ends) => {
    const part = document.createElementNS(SVG, "line");
    for (const [name, value] of Object.entries(ends)) part.setAttribute(name, String(value));
    return part;
  });
}

/** @param {number[]} numbers indices from 0 @returns {SVGElement[]} one mark under the slider for each frame */
export function frameMarks(numbers) {
  return numbers.map((number) => {
    const mark = document.createElementNS(SVG, "rect");
    for (const [name, value] of Object.entries({ x: number - 0.4, y: 0, width: 0.8, height: 4 })) {
      mark.setAttribute(name, String(value));
    }
    return mark;
  });
}
