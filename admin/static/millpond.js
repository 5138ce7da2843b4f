// The panel in the browser.  Every page works without this file; with it, a page loads less and needs fewer clicks.
"use strict";

// --- dialogs and drawer ------------------------------------------------------------------------------------

let opener = null;

document.addEventListener("click", (event) => {
  const link = event.target.closest("[hx-target='#dialog-body'], [hx-target='#drawer-body']");
  if (link) opener = link;
});

document.addEventListener("htmx:afterSwap", (event) => {
  const box = event.target.closest("dialog");
  if (box) {
    if (!box.open) box.showModal();
    htmx.process(box); // at once and not after settling: a form that is submitted before would leave the page
    prepare(box);
    const first = $("[data-focus]", box) || $("form input:not([type=hidden]):not(:disabled), form select:not(.ts-hidden-accessible), form textarea, .dialog-main button", box);
    first?.focus();
  } else {
    prepare(event.target);
  }
});

for (const box of $$("dialog")) {
  box.addEventListener("close", () => {
    const body = $("#dialog-body, #drawer-body", box);
    if (body) body.replaceChildren();
    if (opener?.isConnected) opener.focus();
    else $("#main")?.focus();
  });
}

// --- after a command ---------------------------------------------------------------------------------------

document.addEventListener("millpond:done", (event) => {
  const { go, refused, marked } = event.detail;
  if (!refused) for (const box of $$("dialog[open]")) box.close();
  if (go && go !== location.pathname) {
    location.assign(listed(go));
    return;
  }
  htmx.ajax("GET", location.href, { target: "#main", select: "#main", swap: "outerHTML" }).then(() => mark(marked));
});

// The row that a drawer has added or changed, wherever the page shows it.
function mark(address) {
  const row = address && $(`#main tr a[href^="${address}"]`)?.closest("tr");
  if (!row) return;
  row.classList.add("is-marked");
  row.scrollIntoView({ block: "nearest" });
  ($("a", row))?.focus({ preventScroll: true });
}

document.addEventListener("htmx:responseError", () => toast(WORDS.failed, true));
document.addEventListener("htmx:sendError", () => toast(WORDS.unreachable, true));

// --- forms -------------------------------------------------------------------------------------------------

function grow(points) {
  const last = $$(".point", points).at(-1);
  const input = $("input", last);
  input.addEventListener("input", () => {
    if (!input.value || last !== $$(".point", points).at(-1)) return;
    addPoint(points);
  });
}

function addPoint(points) {
  const last = $$(".point", points).at(-1);
  const next = last.cloneNode(true);
  $("input", next).value = "";
  last.after(next);
  grow(points);
}

document.addEventListener("click", (event) => {
  const take = event.target.closest("[data-take]");
  if (take) {
    const input = document.getElementById(take.dataset.take);
    if (input.type === "checkbox") input.checked = take.dataset.value === "True";
    else if (input.tomselect) input.tomselect.setValue(take.dataset.value);
    else input.value = take.dataset.value;
    take.closest("tr").classList.add("is-taken");
    input.dispatchEvent(new Event("input", { bubbles: true }));
    input.focus();
  }
  const copy = event.target.closest("[data-copy]");
  if (copy) navigator.clipboard?.writeText(copy.dataset.copy).then(() => copy.classList.add("is-done"));
});

// --- forms without a button, and completion ---------------------------------------------------------

document.addEventListener("change", (event) => event.target.closest("form[data-submit]")?.requestSubmit());

const COLUMNS = { p: ["role", "object", "action", "scope", "state", "effect"], p2: ["role", "object", "action", "scope", "state", "effect"], g: ["role", "role"] };

function fitting(area) {
  const line = area.value.slice(0, area.selectionStart).split("\n").at(-1);
  const cells = line.split(",").map((cell) => cell.trim());
  const kind = COLUMNS[cells[0]]?.[cells.length - 2];
  const begun = (cells.at(-1) || "").split(/[&!]/).at(-1);
  const words = kind ? $$(`[data-kind=${kind}] li`, $("#known-words").content).map((word) => word.textContent) : [];
  return { begun, words: words.filter((word) => word.startsWith(begun) && word !== begun).slice(0, 14) };
}

function complete(area) {
  const list = document.getElementById(area.dataset.complete);
  const put = (word) => {
    const { begun } = fitting(area);
    area.setRangeText(word, area.selectionStart - begun.length, area.selectionStart, "end");
    area.focus();
    show();
  };
  const show = () => {
    const { words } = fitting(area);
    list.hidden = !words.length;
    list.replaceChildren(...words.map((word, place) => {
      const item = document.createElement("li");
      item.textContent = word;
      item.setAttribute("role", "option");
      item.setAttribute("aria-selected", String(place === 0));
      item.addEventListener("mousedown", (event) => { event.preventDefault(); put(word); });
      return item;
    }));
  };
  area.addEventListener("input", show);
  area.addEventListener("click", show);
  area.addEventListener("blur", () => { list.hidden = true; });
  area.addEventListener("keydown", (event) => {
    const { begun, words } = fitting(area);
    if (event.key === "Tab" && !event.shiftKey && !list.hidden && begun && words.length) {
      event.preventDefault();
      put(words[0]);
    } else if (event.key === "Escape") {
      list.hidden = true;
    }
  });
}

// --- menus -------------------------------------------------------------------------------------------------

document.addEventListener("click", (event) => {
  for (const drop of $$("details.drop[open]")) if (!drop.contains(event.target)) drop.open = false;
  const toggle = event.target.closest("[data-menu]");
  const shell = $(".shell");
  if (toggle) {
    const open = shell.classList.toggle("menu-open");
    toggle.setAttribute("aria-expanded", String(open));
    if (open) $(".side a")?.focus();
  } else if (shell?.classList.contains("menu-open") && !event.target.closest(".side")) {
    closeMenu();
  }
});

function closeMenu() {
  $(".shell")?.classList.remove("menu-open");
  $("[data-menu]")?.setAttribute("aria-expanded", "false");
}

// --- every page and every loaded piece ----------------------------------------------------------------------------

function prepare(root) {
  for (const select of $$("select[data-lookup], select[multiple]", root)) if (!select.tomselect) searching(select);
  for (const form of $$("form[data-form]", root)) watch(form);
  for (const points of $$("[data-points]", root)) grow(points);
  for (const area of $$("textarea[data-complete]", root)) complete(area);
  for (const box of $$("[data-board]", root)) import(box.dataset.board);
  for (const box of $$("[data-field-form]", root)) import(box.dataset.fieldForm).then((script) => script.arrangeForm(box), () => {});
  for (const table of $$("[data-arrange]", root)) import(table.dataset.script).then((script) => script.arrangeRows(table), () => {});
  for (const box of $$("[data-duplicates]", root)) import(box.dataset.duplicates).then((script) => script.watchDuplicates(box), () => {});
  for (const form of $$("form[data-files]", root)) import(form.dataset.files).then((script) => script.watchFiles(form), () => {});
  for (const form of $$("form[data-upload]", root)) import(form.dataset.upload).then((script) => script.watchUpload(form), () => {});
  for (const box of $$("[data-facts]", root)) import(box.dataset.facts).then((script) => script.watchFacts(), () => {});
  for (const box of $$("[data-rows]", root)) import(box.dataset.rows).then((script) => script.watchRows(box), () => {});
  countSelected();
  keepTrail();
}

prepare(document);
showTrail();
forgetSent();
reopen();
for (const tab of $$(".tabs [aria-current]")) tab.parentNode.scrollLeft = tab.offsetLeft - tab.parentNode.offsetLeft - 40;
$("[data-focus]")?.focus();
