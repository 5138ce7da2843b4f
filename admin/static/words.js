// The tree of words: rows are moved by dragging, by their arrows and by Alt with an arrow key; Save sends them all.
"use strict";
{
  const form = $("form[data-words]");
  const list = $(".word-tree", form);
  const told = $("[data-told]");
  const LONGEST_STEP = 24; // px to the side that move a dragged row one level
  const HOWS = { ArrowUp: "up", ArrowDown: "down", ArrowLeft: "out", ArrowRight: "in" };
  let count = 0;

  const rows = () => $$("[data-row]", list);
  const depthOf = (row) => Number($("[data-depth]", row)?.value || 0);
  const branchOf = (row) => {
    const all = rows();
    const at = all.indexOf(row);
    let end = at + 1;
    while (end < all.length && depthOf(all[end]) > depthOf(row)) end += 1;
    return all.slice(at, end);
  };

  function setDepth(row, depth) {
    $("[data-depth]", row).value = depth;
    row.className = row.className.replace(/depth-\d+/, `depth-${Math.min(depth, 6)}`);
  }

  const siblingBefore = (row) => {
    const all = rows();
    for (let at = all.indexOf(row) - 1; at >= 0; at -= 1) {
      if (depthOf(all[at]) <= depthOf(row)) return depthOf(all[at]) === depthOf(row) ? all[at] : null;
    }
    return null;
  };

  const MOVES = {
    up(row) {
      const before = siblingBefore(row);
      if (before) before.before(...branchOf(row));
      return Boolean(before);
    },
    down(row) {
      const after = branchOf(row).at(-1).nextElementSibling;
      return Boolean(after?.matches("[data-row]")) && depthOf(after) === depthOf(row) && MOVES.up(after);
    },
    in(row) {
      if (!siblingBefore(row)) return false;
      for (const each of branchOf(row)) setDepth(each, depthOf(each) + 1);
      return true;
    },
    out(row) {
      if (depthOf(row) === 0) return false;
      const all = rows();
      let above = all.indexOf(row);
      while (depthOf(all[above]) >= depthOf(row)) above -= 1;
      const branch = branchOf(row);
      branchOf(all[above]).at(-1).after(...branch);
      for (const each of branch) setDepth(each, depthOf(each) - 1);
      return true;
    },
  };

  function changed(row) {
    form.dispatchEvent(new Event("input", { bubbles: true })); // so that leaving the page asks first
    told.textContent = told.dataset.said.replace("{row}", rows().indexOf(row) + 1).replace("{level}", depthOf(row) + 1);
  }

  function move(row, how, focus) {
    if (!MOVES[how](row)) return;
    changed(row);
    focus?.focus();
  }

  function addBelow(row) {
    const blank = $("#word-blank").content.firstElementChild.cloneNode(true);
    const token = `new_${Date.now()}_${(count += 1)}`;
    for (const input of $$("[name]", blank)) input.name = input.name === "row" ? "row" : input.name + token;
    $("[name=row]", blank).value = token;
    blank.dataset.row = token;
    $(".related-none", list)?.remove();
    if (row) branchOf(row).at(-1).after(blank); else list.append(blank);
    setDepth(blank, row ? depthOf(row) + 1 : 0);
    changed(blank);
    $("input.form-control", blank).focus();
  }

  form.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-move], button[data-add]");
    if (!button) return;
    event.preventDefault();
    const row = button.closest("[data-row]");
    if (button.dataset.move) move(row, button.dataset.move, button); else addBelow(row);
  });

  form.addEventListener("keydown", (event) => {
    const row = event.target.closest("[data-row]");
    if (!row || !event.altKey || !HOWS[event.key]) return;
    event.preventDefault();
    move(row, HOWS[event.key], event.target);
  });

  // --- dragging: up and down by the row under the pointer, in and out by the way to the side -----------------------

  let dragged = null;
  let from = 0;
  list.addEventListener("dragstart", (event) => {
    dragged = event.target.closest("[data-row]");
    from = event.clientX;
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", dragged.dataset.row);
    dragged.classList.add("is-dragged");
  });
  list.addEventListener("dragover", (event) => {
    if (!dragged) return;
    event.preventDefault();
    for (const row of rows()) row.classList.toggle("is-target", row === event.target.closest("[data-row]") && row !== dragged);
  });
  list.addEventListener("drop", (event) => {
    const target = event.target.closest("[data-row]");
    if (!dragged || !target) return;
    event.preventDefault();
    const branch = branchOf(dragged);
    const steps = Math.trunc((event.clientX - from) / LONGEST_STEP);
    if (!branch.includes(target)) {
      const isAbove = rows().indexOf(target) < rows().indexOf(dragged);
      const by = depthOf(target) - depthOf(dragged);
      if (isAbove) target.before(...branch); else branchOf(target).at(-1).after(...branch);
      for (const each of branch) setDepth(each, Math.max(0, depthOf(each) + by));
    }
    for (let n = 0; n < Math.abs(steps); n += 1) MOVES[steps > 0 ? "in" : "out"](dragged);
    changed(dragged);
  });
  list.addEventListener("dragend", () => {
    dragged = null;
    for (const row of rows()) row.classList.remove("is-dragged", "is-target");
  });
}
