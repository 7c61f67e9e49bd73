// @ts-check
// What the scripts say, in the language of the page. The server lays the sentences into it (language.script_words).

import { json } from "./page.js";

const known = /** @type {Record<string, string>} */ (json("words") ?? {});
const language = document.documentElement.lang || "en";

/**
 * @param {string} text in English, with {places} @param {Record<string, string | number>} values for the places
 * @returns {string}
 */
export function inWords(text, values = {}) {
  return (known[text] ?? text).replace(/{(\w+)}/g, (place, name) => String(values[name] ?? place));
}

/** @param {number} value @returns {string} with its sign, as the language writes it: +0.250, −0,125 */
export function weight(value) {
  const how = /** @type {Intl.NumberFormatOptions} */ ({ signDisplay: "exceptZero", minimumFractionDigits: 3, maximumFractionDigits: 3 });
  return new Intl.NumberFormat(language, how).format(value).replace("-", "−");
}

/** @param {number} value @param {number} places @returns {string} as the language writes it: 0.93, 0,93 */
export function decimal(value, places) {
  const digits = { minimumFractionDigits: places, maximumFractionDigits: places, useGrouping: false };
  return new Intl.NumberFormat(language, digits).format(value);
}
