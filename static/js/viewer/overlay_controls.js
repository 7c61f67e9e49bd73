// @ts-check
// The controls around the maps: they show what the state says, and tell what somebody wants of it.

import { inWords } from "../language.js";
import { element, list } from "../page.js";

/** @typedef {import("../logic/overlay_state.js").Overlay} Overlay */
/** @typedef {import("../logic/overlay_state.js").OverlayState} OverlayState */

/**
 * @typedef {Object} Wants
 * @property {() => void} redraw
 * @property {() => void} mask
 * @property {() => void} outline
 * @property {(model: string, method: string) => void} choose  "" for no method
 */

/** @param {OverlayState} state @param {Wants} wants */
export function setUpOverlayControls(state, wants) {
  const opacity = element("opacity", HTMLInputElement);
  const threshold = element("threshold", HTMLInputElement);
  const modelChoice = element("model", HTMLSelectElement);
  const mask = element("used", HTMLButtonElement);
  const outlines = element("outlines", HTMLButtonElement);

  for (const slider of [opacity, threshold]) slider.addEventListener("input", wants.redraw);
  mask.addEventListener("click", wants.mask);
  outlines.addEventListener("click", wants.outline);
  modelChoice.addEventListener("change", () => wants.choose(modelChoice.value, state.method));
  document.addEventListener("click", ({ target }) => {
    const button = target instanceof Element ? target.closest(".show-overlay") : null;
    const overlay = button instanceof HTMLButtonElement ? state.find(button.dataset.overlay) : undefined;
    if (overlay) wants.choose(overlay.model, state.chosen === overlay ? "" : overlay.key);
  });

  /** @param {string} method @param {string} words */
  function methodButton(method, words) {
    const button = document.createElement("button");
    Object.assign(button, { type: "button", value: method, textContent: words });
    button.addEventListener("click", () => wants.choose(state.model, method));
    return button;
  }

  /** What the answers offer: models, and the methods of the chosen one. */
  function offer() {
    modelChoice.replaceChildren(...state.models.map((name) => new Option(name, name)));
    element("model-choice", HTMLElement).hidden = state.models.length < 2;
    element("overlay-choice", HTMLElement).hidden = !state.known.length;
    const buttons = state.offered.map((overlay) => methodButton(overlay.key, overlay.method));
    element("methods", HTMLElement).replaceChildren(methodButton("", inWords("None")), ...buttons);
  }

  /** The buttons that change how an overlay is shown say so, and work only where there is one. */
  function press() {
    element("heat-controls", HTMLFieldSetElement).disabled = !state.chosen;
    mask.setAttribute("aria-pressed", String(state.isMasked));
    outlines.setAttribute("aria-pressed", String(state.isOutlined));
    outlines.disabled = !state.chosen?.pieces;
  }

  /** Press the buttons that stand for what is shown, and say how far it can be trusted. */
  function mark() {
    const overlay = state.chosen;
    modelChoice.value = state.model;
    for (const button of list("#methods button", HTMLButtonElement)) {
      button.setAttribute("aria-pressed", String(button.value === (overlay ? state.method : "")));
    }
    for (const button of list(".show-overlay", HTMLButtonElement)) {
      button.setAttribute("aria-pressed", String(button.dataset.overlay === overlay?.id));
    }
    const trust = element("trust", HTMLElement);
    trust.classList.toggle("unreliable", overlay?.reliable === false);
    trust.textContent = overlay ? trustInWords(overlay) : "";
  }

  return { offer, press, mark, strength: () => ({ opacity: +opacity.value / 100, threshold: +threshold.value / 100 }) };
}

/** @param {Overlay} overlay @returns {string} what it is, and how far it can be trusted */
function trustInWords({ method, model, version, classLabel, trust }) {
  return inWords("{method} of {model} {version}, for {label}. {trust}", { method, model, version, label: classLabel, trust });
}
