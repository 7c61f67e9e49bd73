// @ts-check
// The sheet of keys: "?" or its button opens it; the dialog itself minds the focus and Esc.

import { bind } from "./keys.js";
import { element } from "./page.js";

const sheet = element("keys", HTMLDialogElement);
const isOn = element("keys-on", HTMLInputElement);

function toggle() {
  if (sheet.open) sheet.close();
  else sheet.showModal();
}

isOn.checked = localStorage.getItem("keys") !== "off";
isOn.addEventListener("change", () => localStorage.setItem("keys", isOn.checked ? "on" : "off"));
element("show-keys", HTMLButtonElement).addEventListener("click", toggle);
sheet.addEventListener("click", (event) => event.target === sheet && sheet.close());
bind("page", { sheet: toggle });
