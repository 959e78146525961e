// [data-code-editor] around a textarea: line numbers beside it, faulty lines marked, problems that jump to their line,
// and a new line that keeps the indentation. Without it the textarea works as it is.
function setUp(editor) {
  const area = editor.querySelector("textarea");
  if (!area || editor.dataset.ready) return;
  editor.dataset.ready = "1";
  const gutter = document.createElement("div");
  gutter.className = "code-gutter";
  gutter.setAttribute("aria-hidden", "true");
  const numbers = document.createElement("div");
  numbers.className = "code-numbers";
  gutter.append(numbers);
  editor.prepend(gutter);

  function number() {
    const lines = area.value.split("\n").length;
    while (numbers.childElementCount < lines) {
      const line = document.createElement("span");
      line.textContent = numbers.childElementCount + 1;
      numbers.append(line);
    }
    while (numbers.childElementCount > lines) numbers.lastElementChild.remove();
  }
  function follow() { numbers.style.transform = `translateY(${-area.scrollTop}px)`; }
  function here() {
    numbers.querySelector(".here")?.classList.remove("here");
    const line = area.value.slice(0, area.selectionStart).split("\n").length;
    numbers.children[line - 1]?.classList.add("here");
  }
  area.addEventListener("input", number);
  area.addEventListener("scroll", follow);
  for (const moment of ["keyup", "click", "focus"]) area.addEventListener(moment, here);
  area.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    const before = area.value.slice(0, area.selectionStart);
    const indent = /^[ ]*/.exec(before.slice(before.lastIndexOf("\n") + 1))[0];
    const deeper = /[[{]\s*$/.test(before) ? "  " : "";
    if (!indent && !deeper) return;
    event.preventDefault();
    area.setRangeText(`\n${indent}${deeper}`, area.selectionStart, area.selectionEnd, "end");
    area.dispatchEvent(new Event("input", { bubbles: true }));
  });
  number();
  mark();
}

function mark() {
  const numbers = document.querySelector("[data-code-editor] .code-numbers");
  if (!numbers) return;
  for (const line of numbers.querySelectorAll(".error, .warning")) line.classList.remove("error", "warning");
  for (const problem of document.querySelectorAll("#feedback [data-line]")) {
    numbers.children[Number(problem.dataset.line) - 1]?.classList.add(problem.dataset.severity === "error" ? "error" : "warning");
  }
  const area = document.querySelector("[data-code-editor] textarea");
  area.setAttribute("aria-invalid", String(Boolean(document.querySelector('#feedback [data-severity="error"]'))));
}

function jump(line, column) {
  const area = document.querySelector("[data-code-editor] textarea");
  const lines = area.value.split("\n");
  const start = lines.slice(0, line - 1).reduce((sum, text) => sum + text.length + 1, 0);
  const end = start + (lines[line - 1]?.length ?? 0);
  area.focus();
  area.setSelectionRange(Math.min(start + Math.max(column - 1, 0), end), end);
  const height = Number.parseFloat(getComputedStyle(area).lineHeight) || 20;
  area.scrollTop = Math.max(0, (line - 4) * height);
}

document.querySelectorAll("[data-code-editor]").forEach(setUp);
document.addEventListener("htmx:afterSettle", () => {
  document.querySelectorAll("[data-code-editor]").forEach(setUp);
  mark();
});
document.addEventListener("click", (event) => {
  const problem = event.target.closest("a[data-line]");
  if (!problem || problem.dataset.line === "0") return;
  event.preventDefault();
  jump(Number(problem.dataset.line), Number(problem.dataset.column));
});
document.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key === "s" && event.target.closest?.("[data-code-editor]")) {
    event.preventDefault();
    event.target.form.requestSubmit();
  }
});
