// @ts-check
// Buttons that copy what stands elsewhere on the page, where the browser lets them.

import { inWords } from "./language.js";
import { element, list } from "./page.js";

for (const button of list("[data-copies]", HTMLButtonElement)) {
  button.hidden = !navigator.clipboard; // none without HTTPS, but on the machine itself
  button.addEventListener("click", async () => {
    const words = element(button.dataset.copies ?? "", HTMLElement).textContent ?? "";
    await navigator.clipboard.writeText(words).then(
      () => (button.textContent = inWords("Copied")),
      () => (button.textContent = inWords("Copying was not allowed: mark it, and copy it by hand")),
    );
  });
}
