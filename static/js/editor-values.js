// [data-pick] opens the list of values for the field beside it; a choice is written where the cursor was.
const dialog = () => document.getElementById("values-dialog");
let field = null;
let range = [0, 0];

document.addEventListener("click", (event) => {
  const pick = event.target.closest?.("[data-pick]");
  if (pick) return open(pick);
  const choice = event.target.closest?.("[data-insert], [data-filter]");
  if (!choice || !dialog()?.contains(choice)) return;
  if (choice.dataset.insert) insert(choice.dataset.insert);
  else change(choice.dataset.filter);
});

async function open(pick) {
  field = pick.closest("[data-value-field]").querySelector("input:not([type=hidden]), textarea");
  // A field that was never entered has its cursor at the start; people mean its end.
  range = field.dataset.entered ? [field.selectionStart, field.selectionEnd] : [field.value.length, field.value.length];
  const body = document.getElementById("values-body");
  body.replaceChildren();
  dialog().showModal();
  await window.htmx.ajax("GET", pick.closest("form").dataset.valuesUrl, { source: dialog(), target: body, swap: "innerHTML" });
  (dialog().querySelector("[data-values-search]") ?? body.querySelector("summary"))?.focus();
}
document.addEventListener("focusin", (event) => {
  if (event.target.closest?.("[data-value-field]") && event.target.matches("input, textarea")) event.target.dataset.entered = "1";
});

function write(text, start, end) {
  field.setRangeText(text, start, end, "end");
  dialog().close();
  field.focus();
  field.dispatchEvent(new Event("input", { bubbles: true }));
}
function insert(expression) {
  // Inside braces only the name is missing.
  const before = field.value.slice(0, range[0]);
  const isInside = before.lastIndexOf("{{") > before.lastIndexOf("}}");
  write(isInside ? expression.slice(3, -3) : expression, ...range);
}
function change(filter) {
  const closing = placeOfFilter();
  if (closing >= 0) return write(` | ${filter}${field.value[closing - 1] === " " ? " " : ""}`, closing - (field.value[closing - 1] === " " ? 1 : 0), closing);
  dialog().close();
  field.focus();
  document.dispatchEvent(new CustomEvent("steward:toast", { detail: { text: dialog().dataset.textNoPill, tone: "warning" } }));
}
// The value the cursor stands in, else the one before it, else the first.
function placeOfFilter() {
  const opening = field.value.lastIndexOf("{{", range[0]);
  return opening >= 0 ? field.value.indexOf("}}", opening) : field.value.indexOf("}}");
}

document.addEventListener("input", (event) => {
  if (!event.target.matches?.("[data-values-search]")) return;
  const wanted = event.target.value.trim().toLowerCase();
  for (const group of dialog().querySelectorAll(".values-group")) {
    let any = false;
    for (const item of group.querySelectorAll("li")) {
      const isHit = !wanted || item.textContent.toLowerCase().includes(wanted) || group.querySelector(".values-title").textContent.toLowerCase().includes(wanted);
      item.hidden = !isHit;
      any ||= isHit;
    }
    group.hidden = Boolean(wanted) && !any;
    if (wanted) for (const each of [group, ...group.querySelectorAll("details")]) each.open = any;
  }
});
