// @ts-check
// What is typed into a form is kept on the server as it is typed, for whoever types it, until the form is filed.

import { list } from "./page.js";
import { inWords } from "./language.js";

const PAUSE_MS = 600;

/** @returns {string} the token as it is now: another log-in, in another tab, has replaced the page's own */
function token() {
  return /(?:^|; )csrftoken=([^;]+)/.exec(document.cookie)?.[1] ?? "";
}

/** @param {HTMLFormElement} form */
function keep(form) {
  /** @type {number | undefined} */
  let timer;
  const said = form.querySelector("[data-draft-state]");

  /** @param {string} sentence */
  function say(sentence) {
    if (said instanceof HTMLOutputElement) said.value = sentence;
  }

  async function send() {
    timer = undefined;
    const words = new FormData(form);
    words.set("form", form.dataset.form ?? "");
    words.delete("password");
    words.delete("csrfmiddlewaretoken");
    const headers = { "X-CSRFToken": token() };
    const answer = await fetch(form.dataset.draft ?? "", { method: "POST", body: words, headers, keepalive: true }).catch(() => null);
    if (answer?.status === 204) say(inWords("Draft kept, for you alone."));
    else if (answer?.redirected) say(inWords("Your session has ended. What you typed is still here; you are asked to log in when you file it."));
    else say(inWords("The draft was not kept. What you typed is still here."));
  }

  function soon() {
    clearTimeout(timer);
    timer = setTimeout(send, PAUSE_MS);
  }

  form.addEventListener("input", soon);
  form.addEventListener("change", soon);
  form.addEventListener("submit", () => {
    clearTimeout(timer);
    timer = undefined;
    const own = form.elements.namedItem("csrfmiddlewaretoken");
    if (own instanceof HTMLInputElement && token()) own.value = token();
  });
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState !== "hidden" || timer === undefined) return;
    clearTimeout(timer);
    send();
  });
  if ("unsaved" in form.dataset) send();
}

for (const form of list("form[data-draft]", HTMLFormElement)) keep(form);
