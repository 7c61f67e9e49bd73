// @ts-check
// Finding things on the page, loudly.

/**
 * @template {HTMLElement} T
 * @param {string} id @param {new () => T} kind @returns {T}
 */
export function element(id, kind) {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`The page has no ${kind.name} named ${id}.`);
  return found;
}

/**
 * @template {HTMLElement} T
 * @param {string} selector @param {new () => T} kind @returns {T[]}
 */
export function list(selector, kind) {
  return [...document.querySelectorAll(selector)].flatMap((found) => (found instanceof kind ? [found] : []));
}

/** @param {string} id @returns {unknown} the data that the server laid into the page under this name */
export function json(id) {
  return JSON.parse(document.getElementById(id)?.textContent ?? "null");
}
