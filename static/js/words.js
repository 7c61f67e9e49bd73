// @ts-check
// Words that somebody is typing, while the part of the page that holds their form is replaced.

/** @param {HTMLElement} part @returns {(HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement)[]} */
function fields(part) {
  const found = part.querySelectorAll("input[type=text], textarea, select");
  return /** @type {(HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement)[]} */ ([...found]);
}

/** @param {HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement} field @returns {boolean} */
function isTyped(field) {
  return field.value !== "" && !(field instanceof HTMLSelectElement);
}

/** @param {HTMLElement} part @returns {boolean} whether a form of this part holds words */
export function holdsWords(part) {
  return fields(part).some(isTyped);
}

/**
 * Replaces what a part of the page holds; what was filled in stands in the new forms again, which stay open.
 * @param {HTMLElement} part @param {string} html
 */
export function replaceKeepingWords(part, html) {
  const before = fields(part).filter((field) => field.id && field.value !== "");
  const words = before.map(({ id, value }) => ({ id, value }));
  const focus = part.contains(document.activeElement) ? document.activeElement?.id : "";
  part.innerHTML = html;
  for (const { id, value } of words) {
    const field = fields(part).find((one) => one.id === id);
    if (!field) continue;
    field.value = value;
    field.closest("details")?.setAttribute("open", "");
  }
  if (focus) document.getElementById(focus)?.focus();
}

// What is advised may change with every answer: the advice that somebody is answering stays until it is sent.
document.addEventListener("htmx:oobBeforeSwap", (event) => {
  const { detail } = /** @type {CustomEvent} */ (event);
  if (holdsWords(detail.target)) detail.shouldSwap = false;
});
