// @ts-check
// What is laid over the scan: draws what the state says whenever it changes, and changes it as somebody wants.

import { join, manner } from "../logic/heat.js";
import { OverlayState } from "../logic/overlay_state.js";
import { json } from "../page.js";
import { setUpCompare } from "./compare.js";
import { layMap } from "./map.js";
import { setUpOverlayControls } from "./overlay_controls.js";
import { bare } from "./pane.js";
import { heat, superpixels } from "./sources.js";
import { outline, setUpSuperpixels } from "./superpixels.js";

/** @typedef {import("../logic/overlay_state.js").Overlay} Overlay */
/** @typedef {import("./map.js").Laid} Laid */

/**
 * @param {import("./pane.js").Pane} main @param {import("../logic/picture.js").Picture} picture
 * @param {{frame: () => number, show: (frame: number) => void, say: (problem?: string) => void, arranged: () => void}} page
 */
export function setUpOverlay(main, picture, { frame, show, say, arranged }) {
  const state = new OverlayState(remembered());
  const controls = setUpOverlayControls(state, { redraw: refresh, mask, outline: toggleOutlines, choose });
  const compare = setUpCompare(picture, { onChange: rearrange, chosen: () => state.chosen, say });
  const parts = setUpSuperpixels(main.outlines, drawOutlines);
  /** @type {Float32Array | null} the map that is drawn */
  let values = null;

  function rearrange() {
    arranged();
    refresh();
  }

  async function refresh() {
    state.uncover(frame());
    const overlay = state.chosen;
    const wanted = state.shownOn(frame());
    controls.press();
    if (main.heat.dataset.overlay !== wanted) takeAway();
    compare.drawTwin(shown());
    say();
    if (!overlay || !wanted) return;
    try {
      const row = state.row(frame());
      const [found, right, known] = await Promise.all([
        heat(overlay, row, picture.view),
        compare.map(shown()),
        superpixels(overlay, row, picture.view),
      ]);
      if (state.shownOn(frame()) !== wanted) return;
      lay({ overlay, values: found }, right);
      parts.show(wanted, known, overlay.classLabel);
      drawOutlines();
    } catch (problem) {
      say(/** @type {Error} */ (problem).message);
    }
  }

  /** @returns {import("./compare.js").Shown} */
  function shown() {
    return { frame: frame(), hidden: state.isHidden, masked: state.isMasked, outlines: state.isOutlined, ...controls.strength() };
  }

  /** @param {Laid} left @param {Laid | null} right of the split */
  function lay(left, right) {
    const { opacity, threshold } = controls.strength();
    /** @param {Laid} map */
    const how = (map) => manner(map.overlay, map.values, opacity, threshold);
    layMap(main, left, how(left), state.isMasked, (pixels) => {
      if (right) join(pixels, right.values, how(right), picture.columns, compare.split());
    });
    values = left.values;
    main.heat.dataset.overlay = state.shownOn(frame());
  }

  function drawOutlines() {
    const isShown = main.heat.dataset.overlay !== undefined;
    outline(main.outlines, picture.aspect, isShown && state.isOutlined ? parts.known() : [], isShown ? parts.marked() : undefined);
  }

  /** At once, before anything else is fetched: one method's heat must never stand under another's name. */
  function takeAway() {
    bare(main);
    values = null;
    if (!state.isHidden) parts.show("", [], "");
  }

  /** @param {string} model perhaps another than before @param {string} method "" for none */
  function choose(model, method) {
    const isOther = model !== state.model;
    state.choose(model, method);
    remember(state);
    if (isOther) controls.offer();
    const nearest = state.nearest(frame());
    if (nearest !== frame()) show(nearest);
    else refresh();
    controls.mark();
  }

  function mask() {
    state.mask();
    refresh();
  }

  function toggleOutlines() {
    state.outline();
    remember(state);
    refresh();
  }

  return {
    refresh,
    parts,
    twin: compare.twin,
    isBeside: compare.isBeside,
    chosen: () => state.chosen,
    values: () => values,
    /** Read again what the server says there is: after each update of the answers. */
    takeStock() {
      state.take(/** @type {Overlay[]} */ (json("overlays")));
      controls.offer();
      compare.offer(state.known);
      controls.mark();
      refresh();
    },
    /** @param {string} method */
    toggle: (method) => choose(state.model, state.method === method ? "" : method),
    /** Another method or model in the same place, and back: what differs moves. */
    flip() {
      const other = compare.trade();
      if (other) choose(other.model, other.key);
    },
    /** @param {boolean} hidden */
    hide(hidden) {
      if (state.isHidden === hidden) return;
      state.isHidden = hidden;
      refresh();
    },
    /** The whole picture again: nobody measures on what a model has left of it. */
    whole() {
      if (!state.isMasked) return;
      state.isMasked = false;
      refresh();
    },
  };
}

/** What was chosen last in this window of the browser. */
function remembered() {
  const [model, method] = ["model", "method"].map((name) => sessionStorage.getItem(name) ?? "");
  return { model, method, isOutlined: sessionStorage.getItem("outlines") === "on" };
}

/** @param {OverlayState} state */
function remember({ model, method, isOutlined }) {
  const kept = { model, method, outlines: isOutlined ? "on" : "off" };
  for (const [name, value] of Object.entries(kept)) sessionStorage.setItem(name, value);
}
