// @ts-check
// A loop in motion: the frames one after the other, and again, as fast as they were taken where the file says it.

const USUAL_MS = 1000 / 12;
const LEAST_MS = 1000 / 60; // a screen shows no more; of a faster loop frames are passed over, so that it keeps its speed

/**
 * @param {(frames: number) => void} onwards show the frame that lies so many further on
 * @param {number | null} frameTime milliseconds from one frame to the next, if known
 */
export function setUpCine(onwards, frameTime) {
  const button = document.getElementById("play");
  if (!(button instanceof HTMLButtonElement)) return;
  const lasts = frameTime || USUAL_MS;
  let timer = 0;
  const stop = () => {
    clearInterval(timer);
    timer = 0;
    button.setAttribute("aria-pressed", "false");
  };
  button.addEventListener("click", () => {
    if (timer) return stop();
    const began = performance.now();
    let shown = 0;
    timer = window.setInterval(() => {
      const due = Math.floor((performance.now() - began) / lasts) - shown;
      if (due > 0) onwards(due);
      shown += due;
    }, Math.max(lasts, LEAST_MS));
    button.setAttribute("aria-pressed", "true");
  });
  document.addEventListener("visibilitychange", () => document.hidden && stop());
}
