// The manager of custom fields: its preview, the rows of its options, and the order of its list by drag.
"use strict";

const PAUSE = 300; // ms between a key and the preview
const CHOICES = ["SINGLE_CHOICE", "MULTIPLE_CHOICE"];
const FOR = { options: CHOICES, dictionary: CHOICES, target: ["REFERENCE"] };

export function arrangeForm(box) {
  const form = box.querySelector("form[data-form]");
  const panel = box.querySelector(".preview");
  const out = box.querySelector("#preview");
  let waiting = 0;
  const kind = () => form.elements.kind?.value || box.dataset.kind || "TEXT";
  const field = (name) => name === "options" ? form.querySelector("[data-options]") : form.elements[name]?.closest(".field");
  const fit = () => {
    for (const [name, kinds] of Object.entries(FOR)) {
      const found = field(name);
      if (found) found.hidden = !kinds.includes(kind());
    }
    for (const section of form.querySelectorAll(".form-section")) {
      const fields = [...section.querySelectorAll(".field")];
      section.hidden = fields.length > 0 && fields.every((each) => each.hidden);
    }
  };
  const show = async () => {
    const answer = await fetch(box.dataset.preview, { method: "POST", body: new URLSearchParams(new FormData(form)) });
    if (!answer.ok) return;
    out.innerHTML = await answer.text();
    panel.hidden = false;
    htmx.process(out);
  };
  const soon = () => { fit(); clearTimeout(waiting); waiting = setTimeout(show, PAUSE); };
  form.addEventListener("input", soon);
  form.addEventListener("change", soon);
  const options = form.querySelector("[data-options]");
  if (options) editOptions(options, soon);
  fit();
  show();
}

function editOptions(box, changed) {
  const rows = () => [...box.querySelectorAll("[data-option]")];
  const add = box.querySelector("[data-option-add]");
  add.hidden = false;
  const arm = (row) => { row.querySelector(".option-do").hidden = false; row.draggable = false; };
  rows().forEach(arm);
  const grow = () => {
    const next = rows().at(-1).cloneNode(true);
    for (const input of next.querySelectorAll("input")) input.value = "";
    next.classList.remove("is-gone");
    rows().at(-1).after(next);
    return next;
  };
  add.addEventListener("click", () => grow().querySelector("input:not([type=hidden])").focus());
  box.addEventListener("click", (event) => {
    const row = event.target.closest("[data-option]");
    const button = event.target.closest("button");
    if (!row || !button) return;
    if ("optionUp" in button.dataset) row.previousElementSibling?.matches("[data-option]") && row.previousElementSibling.before(row);
    if ("optionDown" in button.dataset) row.nextElementSibling?.matches("[data-option]") && row.nextElementSibling.after(row);
    if ("optionDrop" in button.dataset) drop(row, button, rows, grow);
    if (button.isConnected) button.focus();
    changed();
  });
}

// A saved option is only offered no more; one that was never saved is gone.
function drop(row, button, rows, grow) {
  const [key, gone] = row.querySelectorAll("input[type=hidden]");
  if (key.value) {
    gone.value = gone.value ? "" : "1";
    row.classList.toggle("is-gone", Boolean(gone.value));
    button.setAttribute("aria-pressed", String(Boolean(gone.value)));
    return;
  }
  if (rows().length === 1) grow();
  (row.nextElementSibling?.querySelector("input:not([type=hidden])") || row.previousElementSibling?.querySelector("input"))?.focus();
  row.remove();
}

export function arrangeRows(table) {
  let held = null;
  const rows = () => [...table.querySelectorAll("tr[data-id]")];
  table.addEventListener("dragstart", (event) => {
    held = event.target.closest("tr[data-id]");
    if (!held) return;
    held.classList.add("is-held");
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", held.dataset.id);
  });
  table.addEventListener("dragover", (event) => {
    const over = event.target.closest("tr[data-id]");
    if (!held || !over || over === held) return;
    event.preventDefault();
    const place = rows();
    place.indexOf(over) > place.indexOf(held) ? over.after(held) : over.before(held);
  });
  table.addEventListener("drop", (event) => event.preventDefault());
  table.addEventListener("dragend", () => {
    if (!held) return;
    held.classList.remove("is-held");
    held = null;
    const tab = table.closest("form").querySelector("[name=tab]").value;
    const values = { tab, order: rows().map((row) => row.dataset.id) };
    htmx.ajax("POST", table.dataset.arrange, { values, target: "#rows", select: "#rows", swap: "outerHTML" });
  });
}
