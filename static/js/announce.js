// Says a sentence to screen readers: document.dispatchEvent(new CustomEvent("steward:announce", {detail: text})).
document.addEventListener("steward:announce", (event) => {
  const region = document.getElementById("announcements");
  if (!region) return;
  region.textContent = "";
  // Emptied first and filled in the next frame, so the same sentence twice is read twice.
  requestAnimationFrame(() => { region.textContent = event.detail; });
});
