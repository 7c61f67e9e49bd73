// @ts-check
// Sends many files, or an archive, into an upload session; the page that it leads to shows what they will become.

import { inWords } from "./language.js";

/** @typedef {{parts: string, page: string}} Session */

const TRIES = 3;

/** @param {File[]} files @returns {boolean} whether they are shown before any becomes a scan */
export function areLookedAtTogether(files) {
  return files.length > 1 || files.some((file) => /\.zip$/i.test(file.name) || file.name.toUpperCase() === "DICOMDIR");
}

/**
 * @param {HTMLFormElement} form @param {File[]} files @param {HTMLElement | null} place
 * @param {(sentence: string) => void} complain
 */
export async function sendTogether(form, files, place, complain) {
  const bar = progress(place);
  try {
    const session = await begun(form);
    await sendFrom(form, session, files, 0, bar, complain);
  } catch (fault) {
    bar.remove();
    complain(/** @type {Error} */ (fault).message);
  }
}

/**
 * @param {HTMLFormElement} form @param {Session} session @param {File[]} files @param {number} first
 * @param {HTMLElement} bar @param {(sentence: string) => void} complain
 */
async function sendFrom(form, session, files, first, bar, complain) {
  const [share, words] = /** @type {[HTMLProgressElement, HTMLElement]} */ (/** @type {unknown} */ ([...bar.children]));
  for (let number = first; number < files.length; number++) {
    share.value = number / files.length;
    words.textContent = inWords("sending file {number} of {count}", { number: number + 1, count: files.length });
    try {
      await sendOne(form, session, files[number]);
    } catch (fault) {
      complain(`${files[number].name}: ${/** @type {Error} */ (fault).message}`);
      bar.append(goesOn(() => sendFrom(form, session, files, number, bar, complain), complain));
      return;
    }
  }
  location.assign(session.page);
}

/** @param {HTMLFormElement} form @returns {Promise<Session>} */
async function begun(form) {
  const body = new FormData();
  for (const name of ["csrfmiddlewaretoken", "modality"]) body.set(name, String(new FormData(form).get(name) ?? ""));
  return post(String(form.dataset.together), body);
}

/** A file that did not arrive whole, or whose connection broke, is sent again by itself.
 * @param {HTMLFormElement} form @param {Session} session @param {File} file
 */
async function sendOne(form, session, file) {
  const body = new FormData();
  body.set("csrfmiddlewaretoken", String(new FormData(form).get("csrfmiddlewaretoken") ?? ""));
  body.set("name", file.webkitRelativePath || file.name);
  body.set("sha256", await digest(file));
  body.set("file", file);
  for (let tries = 1; ; tries++) {
    try {
      return await post(session.parts, body);
    } catch (fault) {
      if (tries === TRIES || /** @type {Error} */ (fault).name === "Refused") throw fault;
    }
  }
}

/** @param {File} file @returns {Promise<string>} "" where the browser computes none: over plain HTTP */
async function digest(file) {
  if (!crypto.subtle) return "";
  const bytes = new Uint8Array(await crypto.subtle.digest("SHA-256", await file.arrayBuffer()));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** @param {string} address @param {FormData} body @returns {Promise<any>} */
async function post(address, body) {
  let answer;
  try {
    answer = await fetch(address, { method: "POST", body, headers: { Accept: "application/json" } });
  } catch {
    throw new Error(inWords("The connection broke."));
  }
  const said = await answer.json().catch(() => null);
  if (answer.ok && said) return said;
  const fault = new Error(said?.sentence ?? inWords("The server answered {status}; nothing was kept.", { status: answer.status }));
  if (said?.code && said.code !== "checksum_mismatch") fault.name = "Refused";
  throw fault;
}

/** @param {HTMLElement | null} place @returns {HTMLElement} a line with a bar and words */
function progress(place) {
  const line = document.createElement("li");
  const bar = document.createElement("progress");
  bar.max = 1;
  bar.value = 0;
  bar.setAttribute("aria-label", inWords("Upload of all files"));
  line.append(bar, document.createElement("span"));
  place?.append(line);
  return line;
}

/** @param {() => void} again @param {(sentence: string) => void} complain */
function goesOn(again, complain) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = inWords("Try again");
  button.addEventListener("click", () => {
    button.remove();
    complain("");
    again();
  });
  return button;
}
