// Messages after a command or a save, the selected rows of a list, and tables that scroll with the page.
"use strict";

// --- messages -----------------------------------------------------------------------------------------------

const KEPT = "millpond.message";

function toast(message, isBad = false, records = []) {
  const line = document.createElement("div");
  line.className = isBad ? "toast-line toast-bad" : "toast-line";
  const text = document.createElement("span");
  text.textContent = message;
  for (const { name, href } of records) {
    const said = document.createElement(href ? "a" : "span");
    if (href) said.href = href;
    said.textContent = name;
    text.append(" ", said);
  }
  line.append(text);
  $("#toasts").append(line);
  setTimeout(() => line.remove(), 8000);
}

// The message of a command also stands on the next page, because many commands lead to another one.
document.addEventListener("millpond:done", (event) => {
  const { message, refused, records } = event.detail;
  toast(message, refused > 0, records);
  sessionStorage.setItem(KEPT, JSON.stringify({ message, isBad: refused > 0, records, until: Date.now() + 3000 }));
});

document.addEventListener("DOMContentLoaded", () => {
  const kept = JSON.parse(sessionStorage.getItem(KEPT) || "null");
  sessionStorage.removeItem(KEPT);
  if (kept && Date.now() < kept.until) toast(kept.message, kept.isBad, kept.records);
  if (!$("[data-toast]")) return;
  setTimeout(() => $("[data-toast]")?.remove(), 8000);
  const here = new URL(location.href);
  here.searchParams.delete("saved");
  history.replaceState(history.state, "", here);
});

// --- the counts of saved views ------------------------------------------------------------------------------

// The page may be another one by the time the counts are there, or know other views: only tabs that are there get one.
document.addEventListener("htmx:afterRequest", ({ target, detail }) => {
  if (!target.matches("[data-counts]") || !detail.xhr.getResponseHeader("content-type")?.includes("json")) return;
  for (const [view, count] of Object.entries(JSON.parse(detail.xhr.responseText))) {
    const badge = document.getElementById(`count-${view}`);
    if (badge) badge.textContent = count;
  }
});

// --- selecting rows ----------------------------------------------------------------------------------------

function countSelected() {
  fit();
  const bar = $("[data-bulk]");
  if (!bar) return;
  const boxes = $$("#rows [name=ids]");
  const picked = boxes.filter((box) => box.checked);
  const chosen = picked.length;
  const fits = new Set(picked.flatMap((box) => box.dataset.fits.split(" ")));
  for (const button of $$("[data-command]", bar)) button.hidden = !fits.has(button.dataset.command);
  $("[data-count]", bar).textContent = chosen;
  bar.classList.toggle("is-open", chosen > 0);
  for (const all of $$("[data-all], [data-every]")) {
    all.checked = chosen > 0 && chosen === boxes.length;
    all.indeterminate = chosen > 0 && chosen < boxes.length;
  }
  bar.parentElement.style.setProperty("--bulk", `${bar.offsetHeight}px`);
}

document.addEventListener("change", (event) => {
  if (event.target.matches("[data-all], [data-every]")) for (const box of $$("#rows [name=ids]")) box.checked = event.target.checked;
  if (event.target.matches("[data-all], [data-every], #rows [name=ids]")) countSelected();
});

// --- tables ------------------------------------------------------------------------------------------------

// A head sticks to the page only if nothing between scrolls, so a table scrolls by itself only if it is too wide.
function fit() {
  for (const wrap of $$(".table-wrap")) {
    wrap.classList.remove("is-fitting", "is-wide");
    wrap.classList.add(wrap.scrollWidth > wrap.clientWidth ? "is-wide" : "is-fitting");
  }
}

addEventListener("resize", fit);
