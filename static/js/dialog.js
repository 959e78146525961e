// [data-dialog-open="id"] opens a <dialog>; a click on its backdrop closes it; [data-dialog-auto] opens
// by itself when it arrives, and leaves the page when it closes.
document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-dialog-open]");
  if (opener) {
    const dialog = document.getElementById(opener.dataset.dialogOpen);
    if (dialog) {
      event.preventDefault(); // an opener may be a link to the page that asks the same without JavaScript
      if (!dialog.open) dialog.showModal();
    }
  } else if (event.target instanceof HTMLDialogElement && event.target.open) {
    const box = event.target.getBoundingClientRect();
    const inside = event.clientX >= box.left && event.clientX <= box.right && event.clientY >= box.top && event.clientY <= box.bottom;
    // Keyboard activation reports 0, 0: that is no click on the backdrop.
    if (!inside && (event.clientX || event.clientY)) event.target.close();
  }
});

function openArrived(root) {
  for (const dialog of root.querySelectorAll?.("dialog[data-dialog-auto]:not([open])") ?? []) {
    dialog.showModal();
    dialog.addEventListener("close", () => dialog.remove(), { once: true });
  }
}
openArrived(document);
document.addEventListener("htmx:load", (event) => openArrived(event.detail.elt.parentNode ?? document));
