// [data-copy="#id"] copies that element's text or value, [data-copy-text] copies its own words.
function reveal(root) {
  if (!navigator.clipboard) return; // no secure context: the button stays hidden, the text can be selected
  for (const button of root.querySelectorAll?.("[data-copy][hidden]") ?? []) button.hidden = false;
}
reveal(document);
document.addEventListener("htmx:load", (event) => reveal(event.detail.elt));
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const source = button.dataset.copy ? document.querySelector(button.dataset.copy) : null;
  await navigator.clipboard.writeText(button.dataset.copyText ?? source?.value ?? source?.textContent ?? "");
  document.dispatchEvent(new CustomEvent("steward:toast", { detail: { text: document.body.dataset.textCopied, tone: "success" } }));
});
