// An action happens at once and can be taken back: the server answers with the header
// HX-Trigger: {"steward:undo": {"text": "Step deleted", "url": "/where/undo/posts"}}.
document.addEventListener("steward:undo", (event) => {
  const region = document.querySelector("[data-toasts]");
  if (!region) return;
  const { text, url } = event.detail;
  const toast = document.createElement("div");
  toast.className = "toast info";
  toast.dataset.toast = "";
  const words = document.createElement("span");
  words.className = "toast-text";
  words.textContent = text;
  const form = document.createElement("form");
  form.method = "post";
  form.action = url;
  const token = document.createElement("input");
  token.type = "hidden";
  token.name = "csrfmiddlewaretoken";
  token.value = document.querySelector("input[name=csrfmiddlewaretoken]")?.value ?? "";
  const button = document.createElement("button");
  button.className = "button link small";
  button.textContent = document.body.dataset.textUndo;
  form.append(token, button);
  toast.append(words, form);
  region.append(toast);
});
