// Short messages in [data-toasts]. Show one from anywhere, or from the server with the header
// HX-Trigger: {"steward:toast": {"text": "Saved", "tone": "success"}}.
const LIFETIME_MS = 7000;
const region = document.querySelector("[data-toasts]");

function arm(toast) {
  if (toast.dataset.armed) return;
  toast.dataset.armed = "1";
  const close = document.createElement("button");
  close.type = "button";
  close.className = "button quiet small icon-only";
  close.setAttribute("aria-label", document.body.dataset.textClose);
  close.textContent = "×";
  close.addEventListener("click", () => toast.remove());
  toast.append(close);
  // Failures and offers to undo stay until they are read; the rest leaves, but not under the pointer.
  if (toast.matches(".danger, :has(form)")) return;
  let timer = setTimeout(() => toast.remove(), LIFETIME_MS);
  for (const hold of ["pointerenter", "focusin"]) toast.addEventListener(hold, () => clearTimeout(timer));
  for (const go of ["pointerleave", "focusout"]) {
    toast.addEventListener(go, () => { timer = setTimeout(() => toast.remove(), LIFETIME_MS); });
  }
}

function show({ text, tone = "info" }) {
  const toast = document.createElement("div");
  toast.className = `toast ${tone}`;
  toast.dataset.toast = "";
  const words = document.createElement("span");
  words.className = "toast-text";
  words.textContent = text;
  toast.append(words);
  region.append(toast);
}

if (region) {
  region.querySelectorAll("[data-toast]").forEach(arm);
  new MutationObserver((changes) => {
    for (const change of changes) {
      for (const node of change.addedNodes) if (node.matches?.("[data-toast]")) arm(node);
    }
  }).observe(region, { childList: true });
  document.addEventListener("steward:toast", (event) => show(event.detail));
}
