// Imports in the browser: a file that is dropped or pasted, and cells that are mended where they stand.

// --- a new import ----------------------------------------------------------------------------------------------

const MIB = 1 << 20;

export function watchUpload(form) {
  const input = $("input[type=file]", form);
  const said = $("[data-said]", form);
  const take = (files) => {
    if (!files.length) return;
    input.files = files;
    check();
  };
  const check = () => {
    const isLarge = (input.files[0]?.size || 0) > Number(form.dataset.largest) * MIB;
    said.textContent = isLarge ? form.dataset.tooLarge : "";
    said.hidden = !isLarge;
    input.toggleAttribute("aria-invalid", isLarge);
    return !isLarge;
  };
  input.addEventListener("change", check);
  form.addEventListener("submit", (event) => { if (!check()) { event.preventDefault(); event.stopPropagation(); } }, true);
  const target = $("[name=target]", form);
  const offer = () => { for (const link of $$("[data-template]", form)) link.hidden = link.dataset.template !== target.value; };
  target.addEventListener("change", offer);
  offer();
  const carries = (event) => [...(event.dataTransfer?.types || [])].includes("Files");
  const mark = (isOver) => $(".drop-file", form).classList.toggle("is-over", isOver);
  document.addEventListener("dragover", (event) => { if (carries(event)) { event.preventDefault(); mark(true); } });
  document.addEventListener("dragleave", (event) => { if (!event.relatedTarget) mark(false); });
  document.addEventListener("drop", (event) => {
    if (!carries(event)) return;
    event.preventDefault();
    mark(false);
    take(event.dataTransfer.files);
  });
  document.addEventListener("paste", (event) => {
    if (event.target.closest("input:not([type=file]), textarea")) return;
    const { files } = event.clipboardData;
    const cells = event.clipboardData.getData("text/plain");
    if (files.length) take(files);
    else if (/[\t\n]/.test(cells.trim())) take(asFile(cells, form.dataset.pasted));
  });
}

// Cells that were copied in a spreadsheet, as a file of text.
function asFile(cells, name) {
  const held = new DataTransfer();
  held.items.add(new File([cells], name, { type: "text/plain" }));
  return held.files;
}

// --- the rows ----------------------------------------------------------------------------------------------------
// What is typed into a row outlives a lost session: it is kept in this tab until the row is saved or left.

const keyOf = (row) => `row:${me}:${location.pathname}:${row.id}`;

function keepRow(row) {
  const typed = $$("[name^=c]", row).map((input) => [input.name, input.value]);
  sessionStorage.setItem(keyOf(row), JSON.stringify(typed));
}

function restoreRow(row) {
  for (const [name, value] of JSON.parse(sessionStorage.getItem(keyOf(row)) || "[]")) {
    const input = $(`[name="${name}"]`, row);
    if (input) input.value = value;
  }
}

export function watchRows(box) {
  box.addEventListener("input", (event) => {
    const row = event.target.closest("tr[data-editing]");
    if (row) keepRow(row);
  });
  box.addEventListener("click", (event) => {
    if (event.target.closest("[data-leave-row]")) sessionStorage.removeItem(keyOf(event.target.closest("tr")));
  });
  box.addEventListener("keydown", (event) => {
    const row = event.target.closest("tr[data-editing]");
    if (event.key !== "Escape" || !row || event.isComposing) return;
    event.preventDefault();
    event.stopPropagation();
    $("[data-leave-row]", row).click();
  });
  settle();
}

// After keys.js has put the focus somewhere: into the cell that was chosen, or back to the row.
function settle() {
  for (const row of $$("#import tr.was-mended")) sessionStorage.removeItem(keyOf(row));
  for (const row of $$("#import tr[data-editing]")) restoreRow(row);
  const wanted = $("#import [data-now]");
  if (!wanted) return;
  wanted.focus();
  wanted.select?.();
  wanted.removeAttribute("data-now");
}

document.addEventListener("htmx:afterSettle", (event) => { if (event.target.closest("#import")) settle(); });
