// @ts-check
// Uploads a file, with its progress and outcome; several go together.js. Without this the plain form works.

import { filesOf } from "./folders.js";
import { inWords } from "./language.js";
import { agreed, HEAD, shownBy } from "./logic/modality.js";
import { areLookedAtTogether, sendTogether } from "./together.js";

/** @typedef {{file: string, outcome: string, sentence: string, code: string, scan: number | null, page: string}} Outcome  page: asks what becomes of the file */

const ANOTHER_PATIENT = "patient_mismatch";

const form = document.getElementById("upload");
const drop = document.getElementById("drop");
const field = /** @type {HTMLInputElement | null} */ (document.getElementById("id_scans"));
const problem = document.getElementById("upload-problem");
const outcomes = document.getElementById("outcomes");

/** @param {string} sentence "" to take it away */
function complain(sentence) {
  if (!problem) return;
  problem.textContent = sentence;
  problem.hidden = !sentence;
}

/**
 * @param {HTMLFormElement} target @param {File} file @param {string} reason @param {(share: number) => void} tell
 * @returns {Promise<Outcome>} rejects only when the answer never came
 */
function send(target, file, reason, tell) {
  const body = new FormData(target);
  body.delete("scans");
  body.append("scans", file);
  if (reason) body.set("mismatch_reason", reason);
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", target.action);
    request.setRequestHeader("Accept", "application/json");
    request.upload.addEventListener("progress", (event) => tell(event.loaded / Math.max(1, event.total)));
    request.addEventListener("load", () => {
      const answer = parsed(request.responseText);
      if (answer?.outcomes?.length) resolve(answer.outcomes[0]);
      else reject(new Error(answer?.sentence ?? answer?.detail ?? inWords("The server answered {status}; nothing was kept.", { status: request.status })));
    });
    request.addEventListener("error", () => reject(new Error(inWords("The connection broke; nothing was kept."))));
    request.send(body);
  });
}

/** @param {string} text */
function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** @param {File} file @returns {{item: HTMLLIElement, bar: HTMLProgressElement, words: HTMLSpanElement}} */
function line(file) {
  const item = document.createElement("li");
  const name = document.createElement("strong");
  const bar = document.createElement("progress");
  const words = document.createElement("span");
  name.textContent = file.name;
  bar.max = 1;
  bar.setAttribute("aria-label", inWords("Upload of {file}", { file: file.name }));
  words.textContent = inWords("waiting");
  item.append(name, bar, words);
  outcomes?.append(item);
  return { item, bar, words };
}

/**
 * @param {HTMLFormElement} target @param {File} file @param {string} reason
 * @returns {Promise<Outcome | null>} null when it should be tried again
 */
async function uploadOne(target, file, reason) {
  const { item, bar, words } = line(file);
  try {
    const outcome = await send(target, file, reason, (share) => {
      bar.value = share;
      words.textContent = share < 1 ? inWords("sending, {percent} %", { percent: Math.round(100 * share) }) : inWords("reading");
    });
    bar.remove();
    item.classList.add(outcome.outcome);
    words.textContent = outcome.sentence + (outcome.code ? ` (${outcome.code}) ${inWords("Nothing of it was kept.")}` : "");
    if (outcome.code === ANOTHER_PATIENT) item.append(allTheSame(target, file, item));
    return outcome;
  } catch (fault) {
    bar.remove();
    item.classList.add("refused");
    words.textContent = /** @type {Error} */ (fault).message;
    item.append(again(target, file, item, reason));
    return null;
  }
}

/** @param {HTMLFormElement} target @param {File} file @param {HTMLLIElement} item @param {string} reason */
function again(target, file, item, reason) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = inWords("Try again");
  button.addEventListener("click", () => {
    item.remove();
    uploadAll(target, [file], reason);
  });
  return button;
}

/**
 * Asks why a file that names another patient belongs here, and sends it again with the reason.
 * @param {HTMLFormElement} target @param {File} file @param {HTMLLIElement} item
 */
function allTheSame(target, file, item) {
  const why = document.createElement("span");
  const label = document.createElement("label");
  const reason = document.createElement("input");
  const button = document.createElement("button");
  label.textContent = inWords("It belongs here, because");
  reason.required = true;
  reason.maxLength = 300;
  button.type = "button";
  button.textContent = inWords("Add it all the same");
  label.append(reason);
  why.append(label, button);
  button.addEventListener("click", () => {
    if (!reason.reportValidity()) return;
    item.remove();
    uploadAll(target, [file], reason.value);
  });
  return why;
}

/** @param {HTMLFormElement} target @param {File[]} files @param {string} reason why they belong here, "" as the form says */
async function uploadAll(target, files, reason = "") {
  const found = [];
  for (const file of files) found.push(await uploadOne(target, file, reason));
  const asks = found.find((outcome) => outcome?.page)?.page;
  if (asks && found.length === 1) return location.assign(asks);
  const scan = found.find((outcome) => outcome?.scan)?.scan;
  if (!scan) return;
  const address = `${target.dataset.case}?scan=${scan}`;
  if (found.every((outcome) => outcome?.scan)) location.assign(address);
  else offer(address);
}

/** @param {string} address */
function offer(address) {
  const link = document.createElement("a");
  link.className = "button";
  link.href = address;
  link.textContent = inWords("Show what was added");
  const item = document.createElement("li");
  item.append(link);
  outcomes?.append(item);
}

const LOOKED_AT = 20; // files of a folder: those of one study say the same
let guessed = ""; // the modality that was chosen for the person, while they leave it

/** Chooses what the files say they show, unless somebody has chosen. @param {File[]} files */
async function guess(files) {
  const chosen = /** @type {HTMLInputElement | null} */ (form?.querySelector("input[name=modality]:checked"));
  if (chosen && chosen.value !== guessed) return;
  const heads = await Promise.all(files.slice(0, LOOKED_AT).map((file) => file.slice(0, HEAD).arrayBuffer()));
  const found = agreed(heads.map((head, index) => shownBy(files[index].name, new Uint8Array(head))));
  const radio = /** @type {HTMLInputElement | null} */ (found ? form?.querySelector(`input[name=modality][value=${found}]`) : null);
  if (radio) radio.checked = true;
  guessed = found ?? guessed;
  const note = document.getElementById("modality-guessed");
  if (note) note.hidden = !radio;
}

/** @param {File[]} files */
async function begin(files) {
  if (!(form instanceof HTMLFormElement)) return;
  await guess(files);
  const chosen = form.querySelector("input[name=modality]:checked");
  if (!chosen) complain(inWords("Say first whether these are ultrasound or MRI scans, then upload."));
  else if (!files.length) complain(inWords("Choose at least one file."));
  else {
    complain("");
    outcomes?.replaceChildren();
    if (areLookedAtTogether(files)) sendTogether(form, files, outcomes, complain);
    else uploadAll(form, files);
  }
}

form?.addEventListener("change", ({ target }) => {
  if (target === field) guess([...(field?.files ?? [])]);
  if (!(target instanceof HTMLInputElement) || target.name !== "modality") return;
  guessed = "";
  const note = document.getElementById("modality-guessed");
  if (note) note.hidden = true;
});

form?.addEventListener("submit", (event) => {
  event.preventDefault();
  begin([...(field?.files ?? [])]);
});

for (const kind of ["dragenter", "dragover"]) {
  document.addEventListener(kind, (event) => {
    event.preventDefault();
    form?.closest("details")?.setAttribute("open", "");
    drop?.classList.add("over");
  });
}
document.addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) drop?.classList.remove("over");
});
document.addEventListener("drop", async (event) => {
  event.preventDefault();
  drop?.classList.remove("over");
  if (!field || !event.dataTransfer) return;
  const { files } = event.dataTransfer;
  const found = await filesOf(event.dataTransfer);
  if (!found.length) return;
  if (files.length === found.length) field.files = files;
  begin(found);
});
const folder = document.getElementById("folder");
if (folder instanceof HTMLInputElement) folder.addEventListener("change", () => begin([...(folder.files ?? [])]));
