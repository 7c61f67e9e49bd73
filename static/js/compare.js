// Two maps on one scan: what lies left of the split is one method or model, what lies right of it another.

import { element } from "./page.js";

/** @typedef {import("./heat.js").Overlay} Overlay */

/**
 * @param {() => void} onChange
 * @returns {{offer: (overlays: Overlay[]) => void, chosen: () => Overlay | undefined, split: () => number}}
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
      const offers = overlays.map(({ id, method, model }) => new Option(`${method} of ${model}`, id));
      choice.replaceChildren(new Option("nothing", ""), ...offers);
      if (overlays.some(({ id }) => id === before)) choice.value = before;
      element("compare-row", HTMLElement).hidden = overlays.length < 2;
      element("split-field", HTMLElement).hidden = !chosen();
    },
    chosen,
    split: () => +slider.value / 100,
  };
}

/**
 * @param {Uint8ClampedArray} left red, green, blue, alpha; the right part is written over
 * @param {Uint8ClampedArray} right @param {number} columns @param {number} split share of the width
 */
export function join(left, right, columns, split) {
  const border = Math.round(split * columns);
  for (let index = 0; index < left.length / 4; index++) {
    const column = index % columns;
    if (column < border) continue;
    for (let part = 0; part < 4; part++) left[4 * index + part] = right[4 * index + part];
    if (column === border) left.set([255, 255, 255, 150], 4 * index);
  }
}
