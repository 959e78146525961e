// "/" goes to the search field, "?" lists the keys, and [data-key="n"] presses or focuses a control.
// Only outside of fields, and never with Ctrl, Alt or Meta, which belong to the browser.
const help = document.querySelector("[data-keyboard-help]");

function isTyping(target) {
  return target.closest?.("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable=true]");
}

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey || isTyping(event.target)) return;
  if (document.querySelector("dialog[open]")) return;
  if (event.key === "?" && help) {
    list();
    help.showModal();
  } else if (event.key === "/") {
    document.querySelector("[data-search]")?.focus();
  } else {
    const control = document.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
    if (!control) return;
    if (control.matches("input, textarea, select")) control.focus();
    else control.click();
  }
  event.preventDefault();
});

function list() {
  const target = help.querySelector("[data-keyboard-list]");
  target.querySelectorAll("[data-found]").forEach((node) => node.remove());
  for (const control of document.querySelectorAll("[data-key]")) {
    const term = document.createElement("dt");
    const key = document.createElement("kbd");
    key.textContent = control.dataset.key;
    term.append(key);
    const meaning = document.createElement("dd");
    meaning.textContent = control.dataset.keyLabel ?? control.getAttribute("aria-label") ?? control.textContent.trim();
    for (const node of [term, meaning]) { node.dataset.found = ""; target.append(node); }
  }
}
