// The worklist with the keyboard alone: j and k move, Enter opens, a claims or releases, / searches.

/** @type {HTMLAnchorElement[]} */
const cases = [...document.querySelectorAll("#worklist .w-case a")];
const search = /** @type {HTMLInputElement | null} */ (document.getElementById("search"));

/** @param {number} step */
function move(step) {
  const here = cases.findIndex((link) => link === document.activeElement);
  const next = here < 0 ? (step > 0 ? 0 : cases.length - 1) : here + step;
  cases[Math.max(0, Math.min(cases.length - 1, next))]?.focus();
}

document.addEventListener("keydown", (event) => {
  const typing = event.target instanceof HTMLElement && event.target.closest("input, select, textarea");
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (typing) {
    if (event.key === "Escape") /** @type {HTMLElement} */ (event.target).blur();
    return;
  }
  if (event.key === "j") move(1);
  else if (event.key === "k") move(-1);
  else if (event.key === "a") /** @type {HTMLButtonElement | null} */ (document.activeElement?.closest("tr")?.querySelector(".w-assignee button"))?.click();
  else if (event.key === "/" && search) {
    event.preventDefault();
    search.select();
    search.focus();
  }
});
