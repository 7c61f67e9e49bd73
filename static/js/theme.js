// @ts-check
// Dark or light, remembered in a cookie so that the server draws the next page right at once.

const YEAR = 365 * 24 * 3600;

/** @returns {"dark" | "light"} what is shown now */
function shown() {
  return getComputedStyle(document.documentElement).colorScheme === "light" ? "light" : "dark";
}

document.getElementById("theme")?.addEventListener("click", () => {
  const next = shown() === "dark" ? "light" : "dark";
  document.documentElement.dataset.theme = next;
  document.cookie = `theme=${next}; path=/; max-age=${YEAR}; samesite=lax`;
});

const menu = document.querySelector("details.menu");
document.addEventListener("click", (event) => {
  if (menu && !menu.contains(/** @type {Node} */ (event.target))) menu.removeAttribute("open");
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") menu?.removeAttribute("open");
});
