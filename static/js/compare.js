// Two maps on one scan: what lies left of the split is one method or model, what lies right of it another.

import { heat, paint } from "./heat.js";
import { element } from "./page.js";
import { inWords } from "./language.js";

/** @typedef {import("./heat.js").Overlay} Overlay */

/** @typedef {{overlay: Overlay, values: Float32Array}} Laid */

/**
 * @param {() => void} onChange
 * @returns {{offer: (overlays: Overlay[]) => void, map: (frame: number, view: string) => Promise<Laid | null>, split: () => number}}
 */
export function setUpCompare(onChange) {
  const choice = element("compare", HTMLSelectElement);
  const slider = element("split", HTMLInputElement);
  /** @type {Overlay[]} */
  let known = [];
  const chosen = () => known.find(({ id }) => id === choice.value);
  const tell = () => {
    element("split-field", HTMLElement).hidden = !chosen();
    onChange();
  };
  choice.addEventListener("change", tell);
  slider.addEventListener("input", onChange);

  return {
    offer: (overlays) => {
      known = overlays;
      const before = choice.value;
      const offers = overlays.map(({ id, method, model }) => new Option(inWords("{method} of {model}", { method, model }), id));
      choice.replaceChildren(new Option(inWords("nothing"), ""), ...offers);
      if (overlays.some(({ id }) => id === before)) choice.value = before;
      element("compare-row", HTMLElement).hidden = overlays.length < 2;
      element("split-field", HTMLElement).hidden = !chosen();
    },
    map: async (frame, view) => {
      const overlay = chosen();
      const row = overlay ? overlay.frames.indexOf(frame) : -1;
      return overlay && row >= 0 ? { overlay, values: await heat(overlay, row, view) } : null;
    },
    split: () => +slider.value / 100,
  };
}

/**
 * @param {Uint8ClampedArray} left red, green, blue, alpha; what lies right of the split is written over
 * @param {Float32Array} values the other map @param {Parameters<typeof paint>[2]} manner
 * @param {number} columns @param {number} split share of the width
 */
export function join(left, values, manner, columns, split) {
  const right = new Uint8ClampedArray(left.length);
  paint(values, right, manner);
  const border = Math.round(split * columns);
  for (let index = 0; index < values.length; index++) {
    if (index % columns < border) continue;
    for (let part = 4 * index; part < 4 * index + 4; part++) left[part] = right[part];
    if (index % columns === border) left.set([255, 255, 255, 150], 4 * index);
  }
}
