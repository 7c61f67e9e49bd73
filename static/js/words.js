// Sentences that the server has laid into the page in the reader's language, with what stands in them.

import { element } from "./page.js";

/**
 * @param {string} name @param {Record<string, unknown>} parts
 * @returns {string} the sentence of this name
 */
export function words(name, parts = {}) {
  const sentence = element("viewer-words", HTMLElement).dataset[name];
  if (sentence === undefined) throw new Error(`The page has no words named ${name}.`);
  return sentence.replace(/\{(\w+)\}/g, (_, part) => String(parts[part]));
}

/** @param {number} value @returns {string} with its sign, as the reader's language writes it */
export function weight(value) {
  const how = /** @type {Intl.NumberFormatOptions} */ ({ signDisplay: "exceptZero", minimumFractionDigits: 3, maximumFractionDigits: 3 });
  return value.toLocaleString(document.documentElement.lang, how).replace("-", "−");
}
