// @ts-check
// Two maps of one scan: left and right of a split, or side by side on pictures that move together.

import { heat, manner, paint, showBar } from "./heat.js";
import { inWords } from "./language.js";
import { element } from "./page.js";
import { bare, draw, pane } from "./pane.js";
import { outline, pieces } from "./pieces.js";
import { cover } from "./used.js";

/** @typedef {import("./heat.js").Overlay} Overlay */
/** @typedef {{overlay: Overlay, values: Float32Array}} Laid */
/** @typedef {{frame: number, hidden: boolean, used: boolean, outlines: boolean, opacity: number, threshold: number}} Shown */

/**
 * @param {import("./picture.js").Picture} picture
 * @param {{onChange: () => void, chosen: () => Overlay | undefined, say: (problem: string) => void}} page
 */
export function setUpCompare(picture, { onChange, chosen: onTheLeft, say }) {
  const choice = element("compare", HTMLSelectElement);
  const slider = element("split", HTMLInputElement);
  const beside = element("beside", HTMLButtonElement);
  const twin = pane("twin", picture);
  const state = { known: /** @type {Overlay[]} */ ([]), isBeside: false, before: "", traded: "" };

  const chosen = () => state.known.find(({ id }) => id === choice.value);

  /** Where something is to be compared, show it; both panes are as large as each other. */
  function arrange() {
    const overlay = chosen();
    state.isBeside &&= Boolean(overlay);
    beside.setAttribute("aria-pressed", String(state.isBeside));
    element("split-field", HTMLElement).hidden = !overlay || state.isBeside;
    element("screens", HTMLElement).classList.toggle("two", state.isBeside);
    twin.box.hidden = !state.isBeside;
    onChange();
  }

  beside.addEventListener("click", () => {
    state.isBeside = !state.isBeside;
    if (state.isBeside) {
      state.before = choice.value;
      choice.value ||= (state.known.find((overlay) => overlay !== onTheLeft()) ?? state.known[0])?.id ?? "";
    } else choice.value = state.before;
    arrange();
  });
  choice.addEventListener("change", arrange);
  slider.addEventListener("input", onChange);

  /** @param {Shown} shown @returns {Promise<Laid | null>} what the compared method says of this frame */
  async function laid(shown) {
    const overlay = shown.hidden ? undefined : chosen();
    const row = overlay ? overlay.frames.indexOf(shown.frame) : -1;
    return overlay && row >= 0 ? { overlay, values: await heat(overlay, row, picture.view) } : null;
  }

  /** @returns {Overlay | undefined} what to show instead; from then on it is compared with what it takes the place of */
  function trade() {
    const shown = onTheLeft();
    const others = state.known.filter((overlay) => overlay !== shown);
    const other = others.find(({ id }) => id === (choice.value || state.traded)) ?? others[0];
    if (!shown || !other) return undefined;
    state.traded = shown.id;
    if (choice.value) choice.value = shown.id;
    return other;
  }

  let turn = 0;
  /** @param {Shown} shown draw the picture beside the other */
  async function drawTwin(shown) {
    const overlay = chosen();
    if (!state.isBeside || !overlay) return;
    const mine = ++turn;
    const row = overlay.frames.indexOf(shown.frame);
    if (twin.heat.dataset.overlay !== `${overlay.id}:${row}`) bare(twin);
    element("twin-name", HTMLElement).textContent = named(overlay, row >= 0);
    try {
      const [found, parts] = await Promise.all([laid(shown), row < 0 ? [] : pieces(overlay, row, picture.view)]);
      if (mine !== turn) return;
      bare(twin);
      if (!found) return;
      const how = manner(overlay, found.values, shown.opacity, shown.threshold);
      if (shown.used) cover(twin, overlay, found.values, how);
      else draw(twin.heat, (pixels) => paint(found.values, pixels, how));
      outline(twin.outlines, shown.outlines ? parts : [], undefined);
      twin.heat.dataset.overlay = `${overlay.id}:${row}`;
      if (!shown.used) showBar(twin.box, overlay, how);
    } catch (problem) {
      say(/** @type {Error} */ (problem).message);
    }
  }

  return {
    twin,
    isBeside: () => state.isBeside,
    drawTwin,
    trade,
    /** @param {Overlay[]} overlays */
    offer(overlays) {
      state.known = overlays;
      const before = choice.value;
      const offers = overlays.map(({ id, method, model }) => new Option(inWords("{method} of {model}", { method, model }), id));
      choice.replaceChildren(new Option(inWords("nothing"), ""), ...offers);
      if (overlays.some(({ id }) => id === before)) choice.value = before;
      element("compare-row", HTMLElement).hidden = overlays.length < 2;
      element("split-field", HTMLElement).hidden = !chosen() || state.isBeside;
      if (state.isBeside && !chosen()) arrange();
    },
    /** @param {Shown} shown @returns {Promise<Laid | null>} what lies right of the split */
    map: async (shown) => (state.isBeside ? null : laid(shown)),
    split: () => +slider.value / 100,
  };
}

/**
 * @param {Uint8ClampedArray} left red, green, blue, alpha; what lies right of the split is written over
 * @param {Float32Array} values the other map @param {import("./heat.js").Manner} manner
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

/** @param {Overlay} overlay @param {boolean} isRead whether it has read the frame */
function named({ method, model, version, classLabel }, isRead) {
  if (isRead) return inWords("{method} of {model} {version}, for {label}", { method, model, version, label: classLabel });
  return inWords("{method} of {model} {version} did not read this frame", { method, model, version });
}
