// @ts-check
// The list of shortcuts: "?" or its button opens it; the dialog itself minds the focus and Esc.

import { bind } from "./shortcuts.js";
import { element } from "./page.js";

const dialog = element("shortcuts", HTMLDialogElement);
const isOn = element("shortcuts-on", HTMLInputElement);

function toggle() {
  if (dialog.open) dialog.close();
  else dialog.showModal();
}

isOn.checked = localStorage.getItem("keys") !== "off";
isOn.addEventListener("change", () => localStorage.setItem("keys", isOn.checked ? "on" : "off"));
element("show-shortcuts", HTMLButtonElement).addEventListener("click", toggle);
dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
bind("page", { dialog: toggle });
