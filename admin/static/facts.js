// Facts that are edited in their place: a click or `e` opens the input, Enter saves, Esc leaves.  A click elsewhere leaves
// the input open with what was typed.  Without this file the link of a fact leads to the whole form.

let isWatching = false;

export function watchFacts() {
  if (isWatching) return;
  isWatching = true;
  document.addEventListener("click", onClick);
  document.addEventListener("keydown", onKey, true); // before a chooser hears of Esc
  document.addEventListener("change", onChange);
  document.addEventListener("htmx:beforeRequest", onOpening);
  document.addEventListener("htmx:afterSwap", onOpened);
  document.addEventListener("millpond:fact", onSaved);
}

const editorOf = (fact) => $(".fact-editor", fact);
const inputOf = (form) => $("input:not([type=hidden]):not(.ts-hidden-accessible), select, textarea", $(".field", form) || form);

function onClick(event) {
  const leave = event.target.closest("[data-fact-leave]");
  if (leave) {
    if ($(".fact-dispute", leave.form)) takeTheirs(leave.form);
    else close(leave.form);
    return;
  }
  const value = event.target.closest(".fact-value");
  if (!value || event.target.closest("a, button, input, form") || !getSelection().isCollapsed) return;
  $("[data-fact-edit]", value.closest("[data-fact]"))?.click();
}

// A second click while the input is open goes into the input.
function onOpening(event) {
  const link = event.target.closest?.("[data-fact-edit]");
  const form = link && $("form", editorOf(link.closest("[data-fact]")));
  if (!form) return;
  event.preventDefault();
  focus(form);
}

function onOpened(event) {
  const form = event.target.matches?.(".fact-editor") && $("form", event.target);
  if (!form) return;
  htmx.process(form); // at once and not after settling: a form that is submitted before would leave the page
  focus(form);
}

function focus(form) {
  const input = inputOf(form);
  if (input?.tomselect) input.tomselect.focus();
  else input?.focus();
  if (input?.matches("input[type=text], input[type=tel], input[type=email]")) input.select();
}

function onKey(event) {
  const form = event.target.closest?.(".fact-form");
  if (!form || event.isComposing || event.keyCode === 229) return;
  if (event.key === "Escape") {
    event.preventDefault();
    event.stopPropagation();
    close(form);
  } else if (event.key === "Enter" && (event.target.matches("select") || (event.target.matches("textarea") && (event.ctrlKey || event.metaKey)))) {
    event.preventDefault();
    form.requestSubmit();
  }
}

// What is chosen is said: a record, or yes and no.  A plain list waits for Enter, because arrows change it.
function onChange(event) {
  const form = event.target.closest(".fact-form");
  if (form && (event.target.tomselect || event.target.matches(".field.check input")) && !$(".word-choices", form)) form.requestSubmit();
}

function close(form) {
  const fact = form.closest("[data-fact]");
  dropDraft(form);
  editorOf(fact).replaceChildren();
  $("[data-fact-edit]", fact)?.focus();
}

function takeTheirs(form) {
  const { fact } = form.closest("[data-fact]").dataset;
  close(form);
  refresh(fact);
}

async function onSaved(event) {
  toast(event.detail.message);
  await refresh(event.detail.field);
}

// Everything on the page that a saved fact may have changed, without what is being typed elsewhere.
async function refresh(saved) {
  let page;
  try {
    const answer = await fetch(location.href, { headers: { accept: "text/html" } });
    if (!answer.ok) throw new Error(answer.statusText);
    page = new DOMParser().parseFromString(await answer.text(), "text/html");
  } catch {
    toast(WORDS.unreachable, true);
    return;
  }
  for (const old of $$("[data-part]")) {
    const isSaved = old.dataset.part === `fact-${saved}`;
    if (!isSaved && $("form[data-dirty], .fact-form", old)) continue;
    const next = page.querySelector(`[data-part="${old.dataset.part}"]`);
    if (!next) continue;
    const focused = document.activeElement;
    const hadFocus = old.contains(focused) && focused.id;
    old.replaceWith(next);
    htmx.process(next);
    prepare(next);
    if (isSaved && (focused === document.body || !focused.isConnected || hadFocus)) $("[data-fact-edit]", next)?.focus();
    else if (hadFocus) document.getElementById(hadFocus)?.focus();
  }
  document.title = page.title;
}
