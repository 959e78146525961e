// [data-theme-switch] chooses light, dark or the system's colours; the cookie lets the server send the
// next page in the right colours from its first byte. config/navigation.py reads it.
const YEAR_SECONDS = 365 * 24 * 3600;
for (const group of document.querySelectorAll("[data-theme-switch]")) {
  group.hidden = false;
  group.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    const theme = button.value;
    if (theme) document.documentElement.dataset.theme = theme;
    else delete document.documentElement.dataset.theme;
    const secure = location.protocol === "https:" ? "; Secure" : "";
    document.cookie = `theme=${theme}; Path=/; SameSite=Lax; Max-Age=${theme ? YEAR_SECONDS : 0}${secure}`;
    for (const other of document.querySelectorAll("[data-theme-switch] button")) {
      other.setAttribute("aria-pressed", String(other.value === theme));
    }
  });
}
