// The block editor beyond plain forms: drag (pointer events), Alt+arrows, undo keys, rows that grow, focus where it
// belongs. Every change is the press of a button that works without this file too.
const editor = () => document.getElementById("editor");
const list = () => document.getElementById("editor-list");
document.documentElement.classList.add("has-drag");

// --- Pressing what the list offers ----------------------------------------------------------------------------------
function send(url, values) {
  const form = list();
  const data = { csrfmiddlewaretoken: form.elements.csrfmiddlewaretoken.value, revision: form.elements.revision.value, ...values };
  return window.htmx.ajax("POST", url, { source: form, target: "#editor", swap: "outerHTML", values: data });
}
const moveUrl = (step) => list().dataset.moveUrl.replace("STEP", encodeURIComponent(step));

let focusAfter = "";
async function move(step, values) {
  focusAfter = `step-${step}`;
  await send(moveUrl(step), values);
  const card = document.getElementById(`step-${step}`);
  if (card) {
    const lane = card.closest(".editor-lane")?.querySelector(":scope > .editor-lane-label")?.textContent.trim();
    announce([card.textContent.trim(), lane].filter(Boolean).join(" – "));
  }
}
function announce(text) { document.dispatchEvent(new CustomEvent("steward:announce", { detail: text })); }

// --- Keyboard -------------------------------------------------------------------------------------------------------
const ARROWS = { ArrowUp: "up", ArrowDown: "down", ArrowRight: "into", ArrowLeft: "out" };
document.addEventListener("keydown", (event) => {
  if (!editor()) return;
  const step = event.target.closest?.("[data-step]")?.dataset.step;
  if (event.altKey && ARROWS[event.key] && step && event.target.closest(".editor-card")) {
    event.preventDefault();
    move(step, { to: ARROWS[event.key] });
  } else if (event.key === "Delete" && step && event.target.matches(".step-title")) {
    event.preventDefault();
    send(moveUrl(step).replace(/move\/$/, "removal/"), {});
  } else if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z" && !event.target.closest("input, textarea, select")) {
    event.preventDefault();
    list().querySelector(event.shiftKey ? "[data-editor-redo]:enabled" : "[data-editor-undo]:enabled")?.click();
  } else if (event.key === "Escape" && event.target.closest("#editor-panel") && !event.target.matches("[type=search]")) {
    const selected = document.querySelector(".editor-card.selected .step-title")?.id;
    focusAfter = selected ?? "";
    document.querySelector("[data-panel-close]")?.click();
  } else if ((event.key === "ArrowDown" || event.key === "ArrowUp") && event.target.matches("[data-chooser-search], .chooser-offer")) {
    const offers = [...document.querySelectorAll(".chooser-offer")];
    const next = offers.indexOf(event.target) + (event.key === "ArrowDown" ? 1 : -1);
    event.preventDefault();
    if (next < 0) document.querySelector("[data-chooser-search]").focus();
    else offers[Math.min(next, offers.length - 1)]?.focus();
  } else if (event.key === "Enter" && event.target.matches("[data-chooser-search]") && event.target.value.trim()) {
    event.preventDefault();
    document.querySelector(".chooser-offer")?.focus();
  } else if ((event.ctrlKey || event.metaKey) && event.key === "s" && event.target.closest("#panel-form")) {
    event.preventDefault();
    document.querySelector("#panel-form [name=save]").click();
  }
});

// --- Copy and paste of steps on a focused card ----------------------------------------------------------------------
document.addEventListener("copy", (event) => {
  const card = document.activeElement?.closest?.(".editor-card.selected");
  const text = document.getElementById("copied-step")?.value;
  if (!card || !text || !document.getSelection().isCollapsed) return;
  event.clipboardData.setData("text/plain", text);
  event.preventDefault();
  document.dispatchEvent(new CustomEvent("steward:toast", { detail: { text: document.body.dataset.textCopied, tone: "success" } }));
});
document.addEventListener("paste", (event) => {
  if (!editor() || event.target.closest("input, textarea, select")) return;
  const item = document.activeElement?.closest?.("[data-step]");
  const text = event.clipboardData.getData("text/plain").trim();
  if (!item || !/^[[{]/.test(text)) return;
  event.preventDefault();
  const url = moveUrl("x").replace(/steps\/x\/move\/$/, "pasted/");
  send(url, { steps: text, slot: item.parentElement.dataset.slot, after: item.dataset.step });
});

// --- Drag -----------------------------------------------------------------------------------------------------------
let drag = null;
document.addEventListener("pointerdown", (event) => {
  const grip = event.target.closest?.("[data-grip]");
  if (!grip || event.button !== 0) return;
  event.preventDefault();
  const item = grip.closest("[data-step]");
  drag = { item, step: item.dataset.step, pointer: event.pointerId, place: null, scroll: 0 };
  grip.setPointerCapture(event.pointerId);
});
document.addEventListener("pointermove", (event) => {
  if (!drag || event.pointerId !== drag.pointer) return;
  drag.item.classList.add("dragged");
  document.documentElement.classList.add("is-dragging");
  drag.place?.classList.remove("drop-here");
  drag.place = nearest(event.clientX, event.clientY);
  drag.place?.classList.add("drop-here");
  const edge = 60;
  drag.scroll = event.clientY < edge ? -12 : event.clientY > innerHeight - edge ? 12 : 0;
  if (drag.scroll && !drag.timer) drag.timer = setInterval(() => scrollBy(0, drag?.scroll ?? 0), 16);
});
function nearest(x, y) {
  let best = null;
  let least = 90;
  for (const place of list().querySelectorAll(".editor-add")) {
    if (drag.item.contains(place) && place.closest("[data-step]") !== drag.item) continue; // inside itself
    const box = place.getBoundingClientRect();
    const down = Math.abs(y - (box.top + box.height / 2));
    const across = x < box.left ? box.left - x : x > box.right ? x - box.right : 0;
    // Of two places at the same height the inner one is meant when the pointer is above it.
    const far = down + across * 2 - Math.min(box.left / 50, 20);
    if (far < least) [least, best] = [far, place];
  }
  return best;
}
function drop(event, isCancelled) {
  if (!drag || event.pointerId !== drag.pointer) return;
  const { item, step, place, timer } = drag;
  drag = null;
  clearInterval(timer);
  item.classList.remove("dragged");
  document.documentElement.classList.remove("is-dragging");
  place?.classList.remove("drop-here");
  if (isCancelled || !place || place.dataset.after === step) return;
  const slot = place.closest("[data-slot]").dataset.slot;
  const before = item.previousElementSibling?.dataset.step ?? "";
  if (item.parentElement.dataset.slot === slot && before === place.dataset.after) return; // where it is already
  move(step, { slot, after: place.dataset.after });
}
document.addEventListener("pointerup", (event) => drop(event, false));
document.addEventListener("pointercancel", (event) => drop(event, true));
document.addEventListener("keydown", (event) => { if (event.key === "Escape" && drag) drop({ pointerId: drag.pointer }, true); });

// --- Rows that grow -------------------------------------------------------------------------------------------------
document.addEventListener("input", (event) => {
  const row = event.target.closest?.("[data-row]");
  if (!row || !event.target.value || row !== [...row.closest("[data-rows]").querySelectorAll("[data-row]")].at(-1)) return;
  const next = row.cloneNode(true);
  for (const field of next.querySelectorAll("[name]")) {
    field.name = field.name.replace(/(\d+):(\w+)$/, (_all, number, part) => `${Number(number) + 1}:${part}`);
    const label = field.getAttribute("aria-label");
    if (label) field.setAttribute("aria-label", label.replace(/\d+(?!.*\d)/, (number) => Number(number) + 1));
    if (field.type === "checkbox") field.checked = false;
    else if (field.matches("select")) field.selectedIndex = 0;
    else field.value = "";
  }
  next.querySelector(".row-remove")?.remove();
  row.after(next);
});
// Which choice is taken may need the text field beside it, not yet a save.
document.addEventListener("change", (event) => {
  const custom = event.target.closest?.(".choice-field")?.querySelector(".choice-custom input");
  if (custom && event.target.matches("select") && event.target.selectedOptions[0]?.hasAttribute("data-custom") && !custom.value) {
    event.stopPropagation();
    custom.focus();
  }
}, true);

// --- Focus and what was chosen, after a part has arrived ------------------------------------------------------------
document.addEventListener("htmx:configRequest", (event) => {
  // Choices of a service that failed to arrive must not replace what is chosen.
  if (event.detail.elt.matches?.("[data-options]")) event.detail.parameters.selected ??= event.detail.elt.value;
});
document.addEventListener("htmx:beforeSwap", (event) => {
  const chooser = event.detail.target;
  if (!chooser?.matches?.("select[data-options]")) return;
  const custom = chooser.querySelector("[data-custom]");
  if (custom) event.detail.serverResponse += custom.outerHTML;
});
// The sentence beside a field came or went while the field itself stayed.
document.addEventListener("htmx:oobAfterSwap", (event) => {
  const errors = document.getElementById(event.detail.target?.id ?? "");
  if (!errors?.matches(".errorlist[id$='-errors']")) return;
  const field = document.getElementById(errors.id.replace(/-errors$/, ""));
  if (field?.matches("input, textarea, select")) field.toggleAttribute("aria-invalid", errors.childElementCount > 0);
  if (field?.hasAttribute("aria-invalid")) field.setAttribute("aria-invalid", "true");
});
let wasChoosing = false;
document.addEventListener("htmx:beforeSwap", () => { wasChoosing = editor()?.dataset.panel === "choose"; });
// Captured, because elsewhere the first wrong field gets the focus; here people are in the middle of typing.
document.addEventListener("htmx:afterSettle", (event) => {
  if (!editor()?.contains(event.target) && event.target !== document.body) return;
  event.stopPropagation();
  if (event.detail.target?.id !== "editor") return;
  const isRefused = event.detail.xhr?.status === 422;
  const isNew = wasChoosing && document.getElementById("panel-form");
  wasChoosing = false;
  const wanted = (focusAfter && document.getElementById(focusAfter))
    || (isRefused && document.querySelector("#editor-panel :is([aria-invalid=true], .conflict input, .conflict textarea)"))
    || (isNew && document.querySelector("#panel-form :is([aria-invalid=true], input:not([type=hidden]), textarea, select)"));
  focusAfter = "";
  if (wanted) { wanted.focus({ preventScroll: true }); wanted.scrollIntoView({ block: "nearest" }); return; }
  if (event.detail.requestConfig?.elt?.id === "panel-form") return;
  const first = document.querySelector("#editor-panel [data-focus]");
  if (first && matchMedia("(min-width: 62rem)").matches) first.focus({ preventScroll: true });
  else if (matchMedia("(max-width: 61.99rem)").matches && !editor().hasAttribute("data-panel-idle")) window.scrollTo(0, 0);
}, true);
