// @ts-check
// LIME's superpixels, pieces to who reads: where each lies, whether it speaks for the class or against it, and how much.
// For: orange, a plain line. Against: blue, a broken line and hatching, for those who see no such colours.

import { inWords, weight } from "../language.js";
import { element } from "../page.js";

/** @typedef {{number: number, rank: number, weight: number, pixels: number, middle: [number, number], outline: string}} Superpixel */

const SVG = "http://www.w3.org/2000/svg";
const LISTED = 8;

/**
 * @param {SVGSVGElement} svg as large as the scan @param {number} aspect of its pixels @param {Superpixel[]} shown
 * @param {Superpixel | undefined} marked told apart from the others, with its weight
 */
export function outline(svg, aspect, shown, marked) {
  const [group, pieces] = [0, 1].map(() => document.createElementNS(SVG, "g"));
  pieces.setAttribute("transform", `scale(1 ${aspect})`);
  const others = shown.filter((piece) => piece !== marked);
  const most = Math.abs(shown[0]?.weight ?? 0) || 1;
  pieces.append(...others.map((piece) => path(piece, "", Math.abs(piece.weight) / most)));
  if (marked) pieces.append(path(marked, "halo", 1), path(marked, "marked", 1));
  group.append(pieces, ...(marked ? [label(svg, aspect, marked)] : []));
  svg.querySelectorAll("g").forEach((before) => before.remove());
  svg.append(group);
}

/** @param {Superpixel} piece @returns {"for" | "against" | "neither"} */
function side({ weight: counted }) {
  return counted > 0 ? "for" : counted < 0 ? "against" : "neither";
}

/** @param {Superpixel} piece @param {string} kind @param {number} share of what counted most: what counted little is hatched faintly */
function path(piece, kind, share) {
  const drawn = document.createElementNS(SVG, "path");
  drawn.setAttribute("d", piece.outline);
  drawn.setAttribute("fill", side(piece) === "against" && kind !== "halo" ? "url(#hatch)" : "none");
  drawn.setAttribute("fill-opacity", (0.3 + 0.7 * share).toFixed(2));
  drawn.setAttribute("class", `${side(piece)} ${kind}`);
  drawn.dataset.rank = String(piece.rank);
  return drawn;
}

/** @param {SVGSVGElement} svg @param {number} aspect @param {Superpixel} piece */
function label(svg, aspect, { middle, weight: counted }) {
  const text = document.createElementNS(SVG, "text");
  const size = svg.viewBox.baseVal.width / 34;
  const places = { x: middle[1] + 0.5, y: (middle[0] + 0.5) * aspect + size / 3, "font-size": size };
  for (const [name, value] of Object.entries(places)) text.setAttribute(name, String(value));
  text.textContent = weight(counted);
  return text;
}

/**
 * The list beside the picture, and which piece is looked at: by pointer, by focus, by tap or by key.
 * @param {SVGSVGElement} svg @param {() => void} onChange something is to be drawn again
 */
export function setUpSuperpixels(svg, onChange) {
  const box = element("pieces", HTMLElement);
  const said = element("piece-said", HTMLOutputElement);
  const state = { known: /** @type {Superpixel[]} */ ([]), key: "", pinned: 0, over: 0, classLabel: "" };
  const scale = svg.viewBox.baseVal.width / 512;
  document.getElementById("hatch")?.setAttribute("patternTransform", `scale(${scale}) rotate(45)`);

  const marked = () => state.known[(state.over || state.pinned) - 1];

  function look() {
    const piece = marked();
    for (const button of box.querySelectorAll("button")) {
      button.setAttribute("aria-pressed", String(+(button.dataset.rank ?? 0) === state.pinned));
    }
    said.value = piece ? sentence(piece) : "";
    onChange();
  }

  /** @param {Superpixel} piece */
  function sentence(piece) {
    const parts = { rank: piece.rank, count: state.known.length, weight: weight(piece.weight), label: state.classLabel };
    const spoken = side(piece);
    if (spoken === "for") return inWords("Piece {rank} of {count}: {weight}, speaks for {label}", parts);
    if (spoken === "against") return inWords("Piece {rank} of {count}: {weight}, speaks against {label}", parts);
    return inWords("Piece {rank} of {count}: {weight}, speaks neither for nor against {label}", parts);
  }

  /** @param {number} rank 0 for none */
  const pin = (rank) => {
    Object.assign(state, { pinned: state.pinned === rank ? 0 : rank, over: 0 });
    look();
  };
  /** @param {number} rank 0 for none */
  const pass = (rank) => {
    if (state.over === rank) return;
    state.over = rank;
    look();
  };

  /** @param {Superpixel} piece */
  function item(piece) {
    const button = document.createElement("button");
    Object.assign(button, { type: "button", className: `piece ${side(piece)}`, textContent: weight(piece.weight), ariaLabel: sentence(piece) });
    button.dataset.rank = String(piece.rank);
    button.addEventListener("click", () => pin(piece.rank));
    for (const name of ["pointerenter", "focus"]) button.addEventListener(name, () => pass(piece.rank));
    for (const name of ["pointerleave", "blur"]) button.addEventListener(name, () => pass(0));
    const line = document.createElement("li");
    line.append(button);
    return line;
  }

  return {
    /** @param {string} key of what is shown @param {Superpixel[]} known @param {string} classLabel */
    show(key, known, classLabel) {
      if (state.key === key) return;
      Object.assign(state, { key, known, classLabel, pinned: 0, over: 0 });
      box.hidden = !known.length;
      element("piece-list", HTMLOListElement).replaceChildren(...known.slice(0, LISTED).map(item));
      said.value = "";
    },
    marked,
    known: () => state.known,
    /** @param {[number, number] | null} point row and column under the pointer */
    hover: (point) => pass(point ? at(svg, point) : 0),
    /** @param {[number, number]} point */
    tap: (point) => at(svg, point) && pin(at(svg, point)),
    /** @param {number} steps through the ranks; past either end none is looked at */
    step(steps) {
      if (!state.known.length) return;
      const count = state.known.length + 1;
      state.over = 0;
      state.pinned = (state.pinned + steps + count) % count;
      look();
    },
  };

  /** @param {SVGSVGElement} layer @param {[number, number]} point @returns {number} the rank of the piece there, or 0 */
  function at(layer, [row, column]) {
    const point = new DOMPoint(column + 0.5, row + 0.5);
    const probe = document.createElementNS(SVG, "path");
    probe.setAttribute("fill-rule", "evenodd");
    probe.setAttribute("visibility", "hidden");
    layer.append(probe);
    const found = state.known.find((piece) => {
      probe.setAttribute("d", piece.outline);
      return probe.isPointInFill(point);
    });
    probe.remove();
    return found?.rank ?? 0;
  }
}
