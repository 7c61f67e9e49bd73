// @ts-check
// The worklist with the keyboard alone: the list of shortcuts says which.

import { bind } from "./shortcuts.js";
import { list } from "./page.js";

const cases = list("#worklist .w-case a", HTMLAnchorElement);
const search = /** @type {HTMLInputElement | null} */ (document.getElementById("search"));

/** @param {number} step */
function move(step) {
  const here = cases.findIndex((link) => link === document.activeElement);
  const next = here < 0 ? (step > 0 ? 0 : cases.length - 1) : here + step;
  cases[Math.max(0, Math.min(cases.length - 1, next))]?.focus();
}

function claim() {
  const button = document.activeElement?.closest("tr")?.querySelector(".w-assignee button");
  if (button instanceof HTMLButtonElement) button.click();
}

function seek() {
  search?.select();
  search?.focus();
}

for (const row of list("#worklist tbody tr", HTMLTableRowElement)) {
  row.addEventListener("click", ({ target }) => {
    const isOther = target instanceof Element && target.closest("a, button, form"); // they do what they say
    const link = row.querySelector(".w-case a");
    if (!isOther && !getSelection()?.toString() && link instanceof HTMLAnchorElement) link.click();
  });
}

bind("worklist", { next: () => move(1), previous: () => move(-1), claim, search: seek });
bind("field", { leave: ({ target }) => /** @type {HTMLElement} */ (target).blur() }, { inFields: true });
