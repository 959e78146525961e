// form[data-autosubmit] sends itself when a choice changes, and shortly after typing stops in a search
// field. Its submit button stays for those without JavaScript: mark it [data-autosubmit-button].
const TYPING_MS = 350;
for (const button of document.querySelectorAll("[data-autosubmit-button]")) button.hidden = true;
let timer;
document.addEventListener("change", (event) => {
  const form = event.target.form;
  if (form?.matches("[data-autosubmit]") && event.target.type !== "search") form.requestSubmit();
});
document.addEventListener("input", (event) => {
  const form = event.target.form;
  if (!form?.matches("[data-autosubmit]") || event.target.type !== "search") return;
  clearTimeout(timer);
  // A full page load would take the focus away while somebody types, so only htmx forms search as one types.
  if (form.matches("[hx-get]")) timer = setTimeout(() => form.requestSubmit(), TYPING_MS);
});
