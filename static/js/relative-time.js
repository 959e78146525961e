// time[data-relative] keeps saying "3 minutes ago" truly; its title is the exact instant in the reader's zone.
const language = document.documentElement.lang || undefined;
const relative = new Intl.RelativeTimeFormat(language, { numeric: "auto" });
const exact = new Intl.DateTimeFormat(language, { dateStyle: "full", timeStyle: "long" });
const day = new Intl.DateTimeFormat(language, { dateStyle: "medium" });
const UNITS = [["second", 60], ["minute", 3600], ["hour", 86400], ["day", 7 * 86400]];
const SECONDS = { second: 1, minute: 60, hour: 3600, day: 86400 };

function words(instant) {
  const seconds = (instant - Date.now()) / 1000;
  const unit = UNITS.find(([, limit]) => Math.abs(seconds) < limit)?.[0];
  if (!unit) return day.format(instant);
  if (unit === "second") return relative.format(0, "second");
  return relative.format(Math.trunc(seconds / SECONDS[unit]), unit);
}

function refresh() {
  for (const time of document.querySelectorAll("time[data-relative]")) {
    const instant = new Date(time.dateTime);
    if (Number.isNaN(instant.getTime())) continue;
    const text = words(instant);
    if (time.textContent !== text) time.textContent = text;
    time.title = exact.format(instant);
  }
}
refresh();
setInterval(refresh, 30_000);
document.addEventListener("htmx:afterSettle", refresh);
