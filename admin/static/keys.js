// Keys, and the place of the focus while parts of a page are replaced.
"use strict";

// --- keys --------------------------------------------------------------------------------------------------

function step(by) {
  const rows = $$("[data-row]");
  if (!rows.length) {
    $(`[data-neighbours] [rel=${by > 0 ? "next" : "prev"}]:not([hidden])`)?.click();
    return;
  }
  const at = rows.findIndex((row) => row.contains(document.activeElement));
  const next = rows[Math.min(rows.length - 1, Math.max(0, at + by))];
  $(".open", next)?.focus();
}

// --- the palette, which is loaded when it is first asked for ---------------------------------------------

let early = null; // what is typed before the palette is there

async function palette(text = "") {
  const button = $("[data-palette]");
  if (!button || early !== null) return;
  early = text;
  try {
    const { open } = await import(button.dataset.palette);
    open(early, button.dataset.style);
  } catch {
    toast(WORDS.unreachable, true);
  } finally {
    early = null;
  }
}

document.addEventListener("click", (event) => {
  if (!event.target.closest("[data-palette]")) return;
  event.preventDefault();
  palette();
});

// What this user has opened lately in this browser, by address alone: the server says what they may still see of it.
const VISITED = `visited:${me}`;

function visited() {
  try {
    const seen = JSON.parse(localStorage.getItem(VISITED));
    return { records: [...seen.records], pages: { ...seen.pages } };
  } catch {
    return { records: [], pages: {} };
  }
}

function noteVisit() {
  const seen = visited();
  const record = $("[data-neighbours]") && location.pathname.split("/").at(-1);
  const page = $(".side a[aria-current]")?.getAttribute("href");
  if (record) seen.records = [record, ...seen.records.filter((each) => each !== record)].slice(0, 8);
  else if (page) seen.pages[page] = (seen.pages[page] || 0) + 1;
  else return;
  try {
    localStorage.setItem(VISITED, JSON.stringify(seen));
  } catch { /* a full or closed storage keeps the list as it was */ }
}

if (me) noteVisit();

// --- keys on a page -----------------------------------------------------------------------------------------

// The command with this key: of the row with the focus, else of the selected rows, else of the record.
function run(key) {
  const row = document.activeElement.closest("[data-row]");
  for (const place of [row, $(".bulk.is-open"), $(".head-actions")]) {
    const button = place && $$(`[data-key="${key}"]`, place).find((each) => !each.hidden);
    if (button) {
      button.click();
      return true;
    }
  }
  return false;
}

const KEYS = {
  "/": () => palette(),
  f: () => $("[data-search]")?.focus(),
  n: () => $("[data-new]")?.click(),
  e: () => ($("[data-fact-edit]", document.activeElement.closest("[data-fact]") || document.createElement("p")) || $("[data-edit]"))?.click(),
  j: () => step(1),
  k: () => step(-1),
  x: () => document.activeElement.closest("[data-row]")?.querySelector("[name=ids]")?.click(),
  "?": () => $("#keys")?.showModal(),
};

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input:not([type=checkbox]), textarea, select, [contenteditable]");
  if (early !== null && !event.ctrlKey && !event.metaKey && event.key.length === 1) {
    event.preventDefault();
    early += event.key;
    return;
  }
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k" && !event.isComposing) {
    event.preventDefault();
    palette();
    return;
  }
  if ((event.ctrlKey || event.metaKey) && event.key === "s") {
    const save = $("dialog[open] [data-save]") || $("[data-save]");
    if (save) {
      event.preventDefault();
      save.click();
    }
    return;
  }
  if (event.key === "Escape") {
    for (const drop of $$("details.drop[open]")) {
      drop.open = false;
      $("summary", drop).focus();
    }
    closeMenu();
    return;
  }
  if (typing || event.isComposing || event.ctrlKey || event.metaKey || event.altKey || $("dialog[open]")) return;
  if (KEYS[event.key]) {
    event.preventDefault();
    KEYS[event.key]();
  } else if (/^[a-z]$/.test(event.key) && run(event.key)) {
    event.preventDefault();
  }
});

// --- focus -------------------------------------------------------------------------------------------------

// Something that is the same in the page before and after: a row by its record, a control by what it leads to.
function place(element) {
  const row = element?.closest("[data-row]");
  const names = ["id", "href", "formaction", "data-command", "name"];
  const name = names.find((each) => element?.getAttribute(each));
  return {
    row: row && $(".open", row)?.getAttribute("href"),
    at: row ? $$("[data-row]").indexOf(row) : -1,
    control: name && `[${name}="${CSS.escape(element.getAttribute(name))}"]`,
  };
}

function restore({ row, at, control }) {
  const rows = $$("[data-row]");
  const same = row && rows.find((each) => $(".open", each)?.getAttribute("href") === row);
  const near = at >= 0 ? same || rows[Math.min(at, rows.length - 1)] : $("#main");
  const found = (control && near && (same || at < 0) && $(control, near)) || (near && $(".open", near)) || $("#main");
  found?.focus({ preventScroll: true });
}

let held = null;

document.addEventListener("htmx:beforeSwap", (event) => {
  const focused = document.activeElement;
  held = event.detail.target?.contains(focused) && !focused.closest("dialog") ? place(focused) : null;
});

document.addEventListener("htmx:afterSettle", () => {
  if (held && document.activeElement === document.body) restore(held);
  held = null;
});
