// form[data-unsaved] warns before the page with unsent changes is left.
let isDirty = false;
document.addEventListener("input", (event) => { if (event.target.closest("form[data-unsaved]")) isDirty = true; });
document.addEventListener("submit", (event) => { if (event.target.matches("form[data-unsaved]")) isDirty = false; });
document.addEventListener("steward:saved", () => { isDirty = false; });
window.addEventListener("beforeunload", (event) => { if (isDirty) event.preventDefault(); });
