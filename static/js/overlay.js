// @ts-check
// What is laid over the scan: which method of which model, how strong, only what it used, its pieces.

import { join, setUpCompare } from "./compare.js";
import { heat, manner, paint, showBar } from "./heat.js";
import { inWords } from "./language.js";
import { element, json, list } from "./page.js";
import { bare, draw } from "./pane.js";
import { outline, pieces, setUpPieces } from "./pieces.js";
import { cover } from "./used.js";

/** @typedef {import("./heat.js").Overlay} Overlay */

/**
 * @param {import("./pane.js").Pane} main @param {import("./picture.js").Picture} picture
 * @param {{frame: () => number, show: (frame: number) => void, say: (problem?: string) => void, arranged: () => void}} page
 */
export function setUpOverlay(main, picture, { frame, show, say, arranged }) {
  const opacity = element("opacity", HTMLInputElement);
  const threshold = element("threshold", HTMLInputElement);
  const modelChoice = element("model", HTMLSelectElement);
  const used = element("used", HTMLButtonElement);
  const outlines = element("outlines", HTMLButtonElement);
  const state = {
    /** @type {Overlay[]} */ known: [],
    model: sessionStorage.getItem("model") ?? "",
    method: sessionStorage.getItem("method") ?? "",
    hidden: false,
    used: false,
    outlines: sessionStorage.getItem("outlines") === "on",
    /** @type {Float32Array | null} the map that is drawn */ values: null,
  };

  /** @returns {Overlay | undefined} the overlay that is chosen, if the answer has it */
  function chosen() {
    return state.known.find((overlay) => overlay.model === state.model && overlay.key === state.method);
  }

  const compare = setUpCompare(picture, { onChange: rearrange, chosen, say });
  const parts = setUpPieces(main.outlines, drawOutlines);

  function rearrange() {
    arranged();
    refresh();
  }

  async function refresh() {
    const overlay = chosen();
    const row = overlay && !state.hidden ? overlay.frames.indexOf(frame()) : -1;
    const wanted = overlay && row >= 0 ? `${overlay.id}:${row}` : "";
    if (state.used && !state.hidden && row < 0) state.used = false; // the picture itself, where the method says nothing
    press();
    if (main.heat.dataset.overlay !== wanted) takeAway();
    compare.drawTwin(shown());
    say();
    if (!overlay || !wanted) return;
    try {
      const now = shown();
      const [values, right, known] = await Promise.all([
        heat(overlay, row, picture.view),
        compare.map(now),
        pieces(overlay, row, picture.view),
      ]);
      if (chosen() !== overlay || overlay.frames[row] !== frame() || state.hidden) return;
      lay(overlay, values, right);
      state.values = values;
      main.heat.dataset.overlay = wanted;
      parts.show(wanted, known, overlay.classLabel);
      drawOutlines();
    } catch (problem) {
      say(/** @type {Error} */ (problem).message);
    }
  }

  /** @returns {import("./compare.js").Shown} */
  function shown() {
    const { hidden, used: isUsed, outlines: isOutlined } = state;
    return { frame: frame(), hidden, used: isUsed, outlines: isOutlined, opacity: +opacity.value / 100, threshold: +threshold.value / 100 };
  }

  /** @param {Overlay} overlay @param {Float32Array} values @param {import("./compare.js").Laid | null} right of the split */
  function lay(overlay, values, right) {
    const { opacity: share, threshold: least } = shown();
    const how = manner(overlay, values, share, least);
    bare(main);
    if (state.used) cover(main, overlay, values, how);
    else {
      draw(main.heat, (target) => {
        paint(values, target, how);
        if (right) join(target, right.values, manner(right.overlay, right.values, share, least), picture.columns, compare.split());
      });
    }
    if (!state.used) showBar(main.box, overlay, how);
  }

  function drawOutlines() {
    const isShown = main.heat.dataset.overlay !== undefined;
    outline(main.outlines, isShown && state.outlines ? parts.known() : [], isShown ? parts.marked() : undefined);
  }

  /** At once, before anything else is fetched: one method's heat must never stand under another's name. */
  function takeAway() {
    bare(main);
    state.values = null;
    if (!state.hidden) parts.show("", [], "");
  }

  /** @param {string} model @param {string} method "" for none */
  function choose(model, method) {
    Object.assign(state, { model, method, used: false });
    sessionStorage.setItem("model", model);
    sessionStorage.setItem("method", method);
    const overlay = chosen();
    if (overlay && !overlay.frames.includes(frame())) show(overlay.frames[Math.floor(overlay.frames.length / 2)]);
    else refresh();
    mark();
  }

  /** @param {string} model perhaps another than before @param {string} method "" for none */
  function turnTo(model, method) {
    state.model = model;
    offerMethods();
    choose(model, method);
  }

  /** The buttons that change how an overlay is shown say so, and work only where there is one. */
  function press() {
    const overlay = chosen();
    element("heat-controls", HTMLFieldSetElement).disabled = !overlay;
    used.setAttribute("aria-pressed", String(state.used));
    outlines.setAttribute("aria-pressed", String(state.outlines));
    outlines.disabled = !overlay?.pieces;
  }

  /** Press the buttons that stand for what is shown, and say how far it can be trusted. */
  function mark() {
    const overlay = chosen();
    modelChoice.value = state.model;
    for (const button of list("#methods button", HTMLButtonElement)) {
      button.setAttribute("aria-pressed", String(button.value === (overlay ? state.method : "")));
    }
    for (const button of list(".show-overlay", HTMLButtonElement)) {
      button.setAttribute("aria-pressed", String(button.dataset.overlay === overlay?.id));
    }
    element("trust", HTMLElement).classList.toggle("unreliable", overlay?.reliable === false);
    element("trust", HTMLElement).textContent = overlay ? trustIn(overlay) : "";
  }

  /** Read again what the server says there is: after each update of the answers. */
  function takeStock() {
    state.known = /** @type {Overlay[]} */ (json("overlays"));
    const models = [...new Set(state.known.map((overlay) => overlay.model))];
    if (models.length && !models.includes(state.model)) state.model = models[0];
    modelChoice.replaceChildren(...models.map((name) => new Option(name, name)));
    element("model-choice", HTMLElement).hidden = models.length < 2;
    offerMethods();
    compare.offer(state.known);
    mark();
    refresh();
  }

  function offerMethods() {
    const own = state.known.filter((overlay) => overlay.model === state.model);
    const offers = [["", inWords("None")], ...own.map((overlay) => [overlay.key, overlay.method])];
    const buttons = offers.map(([value, words]) => {
      const button = document.createElement("button");
      Object.assign(button, { type: "button", value, textContent: words });
      button.addEventListener("click", () => choose(state.model, value));
      return button;
    });
    element("methods", HTMLElement).replaceChildren(...buttons);
  }

  opacity.addEventListener("input", refresh);
  threshold.addEventListener("input", refresh);
  used.addEventListener("click", () => {
    state.used = !state.used && chosen() !== undefined;
    refresh();
  });
  outlines.addEventListener("click", () => {
    state.outlines = !state.outlines;
    sessionStorage.setItem("outlines", state.outlines ? "on" : "off");
    refresh();
  });
  modelChoice.addEventListener("change", () => {
    turnTo(modelChoice.value, state.method);
  });
  document.addEventListener("click", (event) => {
    const button = event.target instanceof Element ? event.target.closest(".show-overlay") : null;
    if (!(button instanceof HTMLButtonElement)) return;
    const overlay = state.known.find(({ id }) => id === button.dataset.overlay);
    if (!overlay) return;
    const isShown = chosen() === overlay;
    turnTo(overlay.model, isShown ? "" : overlay.key);
  });

  return {
    chosen,
    refresh,
    takeStock,
    parts,
    twin: compare.twin,
    isBeside: compare.isBeside,
    values: () => state.values,
    /** @param {string} method */
    toggle: (method) => choose(state.model, state.method === method ? "" : method),
    /** Another method or model in the same place, and back: what differs moves. */
    flip() {
      const other = compare.trade();
      if (other) turnTo(other.model, other.key);
    },
    /** @param {boolean} hidden */
    hide(hidden) {
      if (state.hidden === hidden) return;
      state.hidden = hidden;
      refresh();
    },
    /** The whole picture again: nobody measures on what a model has left of it. */
    whole() {
      if (!state.used) return;
      state.used = false;
      refresh();
    },
  };
}

/** @param {Overlay} overlay @returns {string} what it is, and how far it can be trusted */
function trustIn({ method, model, version, classLabel, trust }) {
  return inWords("{method} of {model} {version}, for {label}. {trust}", { method, model, version, label: classLabel, trust });
}
