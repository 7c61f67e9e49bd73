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

/** @param {number[]} numbers indices from 0 @returns {SVGElement[]} one mark under the slider for each frame */
export function frameMarks(numbers) {
  return numbers.map((number) => {
    const mark = document.createElementNS("http://www.w3.org/2000/svg", "rect");
    for (const [name, value] of Object.entries({ x: number - 0.4, y: 0, width: 0.8, height: 4 })) {
      mark.setAttribute(name, String(value));
    }
    return mark;
  });
}
