// @ts-check
// Shortcuts, as the dialog of the page lists them: what is not listed does nothing, so the list cannot lie.

import { element, list } from "./page.js";

/** @typedef {(event: KeyboardEvent) => void} Does */

const FIELDS = "input:not([type=range]), textarea, select";
const PRESSED = "button, summary";

/**
 * @param {string} scope a group of the list; without it the page does not offer these keys
 * @param {Record<string, Does>} does by the names that the list uses, neither more nor fewer
 * @param {{on?: HTMLElement | Document, when?: () => boolean, inFields?: boolean}} where
 */
export function bind(scope, does, { on = document, when = () => true, inFields = false } = {}) {
  const rows = list(`#shortcuts [data-scope="${scope}"] [data-does]`, HTMLElement);
  if (!rows.length) return;
  const [listed, known] = [rows.map((row) => row.dataset.does).sort(), Object.keys(does).sort()];
  if (String(listed) !== String(known)) throw new Error(`The list of shortcuts says ${listed} of ${scope}, the page does ${known}.`);

  /** @param {boolean} isHeld @returns {(event: Event) => void} */
  const listener = (isHeld) => (event) => {
    if (!(event instanceof KeyboardEvent) || event.ctrlKey || event.metaKey || event.altKey) return;
    if (isTyped(event) !== inFields || isElsewhere(scope) || isOff(event, on)) return;
    const row = rows.find(({ dataset }) => dataset.keys?.split(" ").includes(called(event.key)));
    if (!row || (isHeld && row.dataset.held === undefined) || !when()) return;
    event.preventDefault();
    does[row.dataset.does ?? ""](event);
  };
  on.addEventListener("keydown", listener(false));
  on.addEventListener("keyup", listener(true));
}

/** @param {string} key a list parted by spaces cannot hold the space bar's own name */
function called(key) {
  return key === " " ? "Space" : key;
}

/** @param {KeyboardEvent} event the space bar presses the button that has the focus */
function isTyped({ key, target }) {
  if (!(target instanceof Element) || target.closest("#shortcuts")) return false;
  return target.closest(key === " " ? `${FIELDS}, ${PRESSED}` : FIELDS) !== null;
}

/** @param {string} scope while the dialog is open, only the keys of every page work */
function isElsewhere(scope) {
  return scope !== "page" && element("shortcuts", HTMLDialogElement).open;
}

/** Signs are no keys where somebody has switched them off: speech input would press them (WCAG 2.1.4).
 * @param {KeyboardEvent} event @param {HTMLElement | Document} on
 */
function isOff({ key }, on) {
  return on === document && key.length === 1 && localStorage.getItem("keys") === "off";
}
