// A run that is going replaces its timeline every second: what the reader has unfolded ([data-keep-open]) stays so,
// and the change of status is said once.
let open = new Set();
let closed = new Set();
let status = document.querySelector("#run-status")?.textContent.trim();

document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.target?.id !== "live") return;
  open = new Set();
  closed = new Set();
  for (const fold of document.querySelectorAll("#live details[data-keep-open]")) (fold.open ? open : closed).add(fold.id);
});
document.addEventListener("htmx:afterSwap", () => {
  for (const id of open) document.getElementById(id)?.setAttribute("open", "");
  for (const id of closed) document.getElementById(id)?.removeAttribute("open");
  const now = document.querySelector("#run-status")?.textContent.trim();
  if (now && now !== status) document.dispatchEvent(new CustomEvent("steward:announce", { detail: now }));
  status = now;
});
