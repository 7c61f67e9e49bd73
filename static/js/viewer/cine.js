// @ts-check
// A loop in motion: the frames one after the other, and again.

const FRAMES_A_SECOND = 12;

/** @param {() => void} next show the frame that follows */
export function setUpCine(next) {
  const button = document.getElementById("play");
  if (!(button instanceof HTMLButtonElement)) return;
  let timer = 0;
  const stop = () => {
    clearInterval(timer);
    timer = 0;
    button.setAttribute("aria-pressed", "false");
  };
  button.addEventListener("click", () => {
    if (timer) return stop();
    timer = window.setInterval(next, 1000 / FRAMES_A_SECOND);
    button.setAttribute("aria-pressed", "true");
  });
  document.addEventListener("visibilitychange", () => document.hidden && stop());
}
