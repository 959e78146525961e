// input[data-select-all="name"] ticks every checkbox of that name in its form; [data-selected-count] says how many.
document.addEventListener("change", (event) => {
  const box = event.target;
  if (box.type !== "checkbox") return;
  const scope = box.form ?? document;
  if (box.dataset.selectAll) {
    for (const other of scope.querySelectorAll(`input[type=checkbox][name="${CSS.escape(box.dataset.selectAll)}"]`)) other.checked = box.checked;
  }
  for (const counter of scope.querySelectorAll("[data-selected-count]")) {
    const name = counter.dataset.selectedCount;
    counter.textContent = scope.querySelectorAll(`input[name="${CSS.escape(name)}"]:checked`).length;
  }
});
