// @ts-check
// Two maps of one scan: left and right of a split, or side by side on pictures that move together.

import { inWords } from "../language.js";
import { manner } from "../logic/heat.js";
import { Comparison } from "../logic/overlay_state.js";
import { sizeOf } from "../logic/picture.js";
import { element } from "../page.js";
import { layMap } from "./map.js";
import { bare, pane } from "./pane.js";
import { heat, superpixels } from "./sources.js";
import { outline } from "./superpixels.js";

/** @typedef {import("../logic/overlay_state.js").Overlay} Overlay */
/** @typedef {import("./map.js").Laid} Laid */
/** @typedef {{frame: number, hidden: boolean, masked: boolean, outlines: boolean, opacity: number, threshold: number}} Shown */

/**
 * @param {import("../logic/picture.js").Picture} picture
 * @param {{onChange: () => void, chosen: () => Overlay | undefined, say: (problem: string) => void}} page
 */
export function setUpCompare(picture, { onChange, chosen: onTheLeft, say }) {
  const choice = element("compare", HTMLSelectElement);
  const slider = element("split", HTMLInputElement);
  const beside = element("beside", HTMLButtonElement);
  const twin = pane("twin", sizeOf(picture));
  const state = new Comparison();

  /** Where something is to be compared, show it; both panes are as large as each other. */
  function arrange() {
    choice.value = state.id;
    beside.setAttribute("aria-pressed", String(state.isBeside));
    element("split-field", HTMLElement).hidden = !state.chosen || state.isBeside;
    element("screens", HTMLElement).classList.toggle("two", state.isBeside);
    twin.box.hidden = !state.isBeside;
  }

  beside.addEventListener("click", () => {
    state.standBeside(onTheLeft());
    arrange();
    onChange();
  });
  choice.addEventListener("change", () => {
    state.choose(choice.value);
    arrange();
    onChange();
  });
  slider.addEventListener("input", onChange);

  /** @param {Shown} shown @returns {Promise<Laid | null>} what the compared method says of this frame */
  async function laid(shown) {
    const overlay = shown.hidden ? undefined : state.chosen;
    const row = overlay ? overlay.frames.indexOf(shown.frame) : -1;
    return overlay && row >= 0 ? { overlay, values: await heat(overlay, row, picture.view) } : null;
  }

  let turn = 0;
  /** @param {Shown} shown draw the picture beside the other */
  async function drawTwin(shown) {
    const overlay = state.chosen;
    if (!state.isBeside || !overlay) return;
    const mine = ++turn;
    const row = overlay.frames.indexOf(shown.frame);
    if (twin.heat.dataset.overlay !== `${overlay.id}:${row}`) bare(twin);
    element("twin-name", HTMLElement).textContent = named(overlay, row >= 0);
    try {
      const [found, parts] = await Promise.all([laid(shown), row < 0 ? [] : superpixels(overlay, row, picture.view)]);
      if (mine !== turn) return;
      if (!found) return bare(twin);
      layMap(twin, found, manner(overlay, found.values, shown.opacity, shown.threshold), shown.masked);
      outline(twin.outlines, picture.aspect, shown.outlines ? parts : [], undefined);
      twin.heat.dataset.overlay = `${overlay.id}:${row}`;
    } catch (problem) {
      say(/** @type {Error} */ (problem).message);
    }
  }

  return {
    twin,
    isBeside: () => state.isBeside,
    drawTwin,
    trade() {
      const other = state.trade(onTheLeft());
      choice.value = state.id;
      return other;
    },
    /** @param {Overlay[]} overlays */
    offer(overlays) {
      const isOver = state.take(overlays);
      const offers = overlays.map(({ id, method, model }) => new Option(inWords("{method} of {model}", { method, model }), id));
      choice.replaceChildren(new Option(inWords("nothing"), ""), ...offers);
      element("compare-row", HTMLElement).hidden = overlays.length < 2;
      arrange();
      if (isOver) onChange();
    },
    /** @param {Shown} shown @returns {Promise<Laid | null>} what lies right of the split */
    map: async (shown) => (state.isBeside ? null : laid(shown)),
    split: () => +slider.value / 100,
  };
}

/** @param {Overlay} overlay @param {boolean} isRead whether it has read the frame */
function named({ method, model, version, classLabel }, isRead) {
  if (isRead) return inWords("{method} of {model} {version}, for {label}", { method, model, version, label: classLabel });
  return inWords("{method} of {model} {version} did not read this frame", { method, model, version });
}
