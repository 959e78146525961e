// A failed htmx request is never silent, and each carries the CSRF token of the page.
const texts = document.body.dataset;

function tell(text) {
  document.dispatchEvent(new CustomEvent("steward:toast", { detail: { text, tone: "danger" } }));
}

function csrfToken() {
  const field = document.querySelector("input[name=csrfmiddlewaretoken]");
  if (field) return field.value;
  const cookie = document.cookie.split("; ").find((part) => part.startsWith("csrftoken="));
  return cookie ? decodeURIComponent(cookie.slice("csrftoken=".length)) : "";
}

document.addEventListener("htmx:configRequest", (event) => {
  if (event.detail.verb !== "get" && !event.detail.headers["X-CSRFToken"]) {
    event.detail.headers["X-CSRFToken"] = csrfToken();
  }
});
document.addEventListener("htmx:sendError", () => tell(texts.textError));
document.addEventListener("htmx:timeout", () => tell(texts.textError));
document.addEventListener("htmx:responseError", (event) => {
  const status = event.detail.xhr.status;
  if (status === 401 || status === 403) tell(texts.textForbidden);
  else if (status === 404) tell(texts.textMissing);
  else if (status === 429) tell(texts.textBusy);
  else if (status >= 500) tell(texts.textServer);
  else tell(texts.textError);
});
// After a swap with errors, the first wrong field has the focus.
document.addEventListener("htmx:afterSettle", (event) => {
  event.detail.elt.querySelector?.("[aria-invalid=true]")?.focus();
});
