// Forms: a second click waits for the first, and what was typed outlives a lost session, a closed drawer and a broken line.
"use strict";

const LONGEST_WAIT = 30_000; // ms after which a button can be pressed again although no answer has come
const DRAFT = "draft:";
const SECRET = "input[type=password], [name=password], input[type=file], [name=_key], [name=ids], [name=from]";
const me = document.body.dataset.me || "";

// --- once at a time -------------------------------------------------------------------------------------------

function setBusy(form, isBusy) {
  form.toggleAttribute("data-busy", isBusy);
  for (const button of $$("button:not([type=button])", form)) button.setAttribute("aria-disabled", String(isBusy));
  clearTimeout(form.wait);
  if (isBusy) form.wait = setTimeout(() => setBusy(form, false), LONGEST_WAIT);
}

// In the capture phase, so that a second submit reaches neither htmx nor the browser.
addEventListener("submit", (event) => {
  const form = event.target;
  const method = event.submitter?.getAttribute("formmethod") || form.method;
  if (method.toLowerCase() !== "post") return;
  if ("busy" in form.dataset) {
    event.preventDefault();
    event.stopImmediatePropagation();
    return;
  }
  if (form.action.endsWith("/logout")) sessionStorage.clear();
  setTimeout(() => setBusy(form, true)); // after htmx has taken the form and its button as they are
}, true);

// Before htmx asks whether to send: it would send a second request as soon as the first has ended.
document.addEventListener("htmx:confirm", (event) => {
  const form = event.target.closest("form");
  if (form?.sending && event.detail.verb === "post") event.preventDefault();
});

document.addEventListener("htmx:beforeRequest", (event) => {
  const form = event.target.closest("form");
  if (!form || event.detail.requestConfig.verb !== "post") return;
  form.sending = true;
  setBusy(form, true);
});

document.addEventListener("htmx:afterRequest", (event) => {
  const form = event.target.closest("form");
  if (form && event.detail.requestConfig.verb === "post") {
    form.sending = false;
    setBusy(form, false);
  }
});

addEventListener("pageshow", () => { for (const form of $$("form[data-busy]")) setBusy(form, false); });

// --- drafts ------------------------------------------------------------------------------------------------------
// What is typed into a form is kept in this tab until the form is saved or given up.

function draftKey(form) {
  const to = new URL(form.getAttribute("hx-post") || form.action, location.href);
  return DRAFT + to.pathname + to.search;
}

function inputsOf(form) {
  return [...form.elements].filter((each) => each.name && !each.matches(SECRET) && each.type !== "submit");
}

function valueOf(input) {
  if (input.type === "checkbox") return input.checked;
  if (input.multiple || input.tomselect) return [...input.selectedOptions].map((option) => [option.value, option.text]);
  return input.value;
}

function put(input, value) {
  if (input.type === "checkbox") {
    input.checked = value;
  } else if (Array.isArray(value)) {
    const chooser = input.tomselect;
    for (const [option, text] of value) {
      if (chooser) chooser.addOption({ value: option, text });
      else if (![...input.options].some((each) => each.value === option)) input.add(new Option(text, option));
    }
    if (chooser) chooser.setValue(value.map(([option]) => option), true);
    else for (const option of input.options) option.selected = value.some(([each]) => each === option.value);
  } else {
    input.value = value;
  }
}

function keepDraft(form) {
  const values = inputsOf(form).map((input) => [input.name, valueOf(input)]);
  sessionStorage.setItem(draftKey(form), JSON.stringify({ me, values }));
}

function dropDraft(form) {
  clearTimeout(form.keeping);
  form.removeAttribute("data-dirty");
  sessionStorage.removeItem(draftKey(form));
}

function restoreDraft(form) {
  if ("fresh" in form.dataset) return dropDraft(form); // what it held was saved just now
  if ("posted" in form.dataset) { // it holds what was sent, beside what is wrong with it
    form.setAttribute("data-dirty", "");
    keepDraft(form);
    return;
  }
  const draft = JSON.parse(sessionStorage.getItem(draftKey(form)) || "null");
  if (!draft) return;
  if (draft.me !== me) {
    dropDraft(form);
    return;
  }
  const before = inputsOf(form).map((input) => [input, valueOf(input)]);
  const seen = {};
  for (const [name, value] of draft.values) {
    seen[name] = (seen[name] ?? -1) + 1;
    let input = inputsOf(form).filter((each) => each.name === name)[seen[name]];
    if (!input && value && name.startsWith("points-")) {
      addPoint($("[data-points]", form));
      input = inputsOf(form).filter((each) => each.name === name)[seen[name]];
    }
    if (input) put(input, value);
  }
  form.setAttribute("data-dirty", "");
  if (before.every(([input, value]) => JSON.stringify(valueOf(input)) === JSON.stringify(value))) return;
  const note = document.createElement("div");
  note.className = "alert alert-info draft";
  note.setAttribute("role", "status");
  note.append(Object.assign(document.createElement("span"), { textContent: WORDS.restored }));
  const button = Object.assign(document.createElement("button"), { type: "button", className: "btn btn-sm", textContent: WORDS.discard });
  button.addEventListener("click", () => {
    dropDraft(form);
    for (const input of inputsOf(form)) if (input.name.startsWith("points-value")) input.value = "";
    for (const [input, value] of before) put(input, value);
    note.remove();
    $("input:not([type=hidden]), textarea", form)?.focus();
  });
  note.append(button);
  form.prepend(note);
}

function watch(form) {
  const changed = () => {
    form.setAttribute("data-dirty", "");
    clearTimeout(form.keeping);
    form.keeping = setTimeout(() => keepDraft(form), 150);
  };
  form.addEventListener("input", changed);
  form.addEventListener("change", changed);
  form.addEventListener("submit", () => {
    if (!("dirty" in form.dataset)) return;
    keepDraft(form);
    sessionStorage.setItem("sent", draftKey(form));
  });
  form.addEventListener("click", (event) => {
    if (event.target.closest("[data-cancel]")) dropDraft(form);
  });
  restoreDraft(form);
}

// A page that follows a submit and is neither the same form nor the sign-in means that the form was saved.
function forgetSent() {
  const sent = sessionStorage.getItem("sent");
  if (!sent || $("form[action$='/login']")) return;
  sessionStorage.removeItem("sent");
  if (sessionStorage.getItem("reopen")) return;
  if (!$$("form[data-form]").some((form) => draftKey(form) === sent)) sessionStorage.removeItem(sent);
}

addEventListener("beforeunload", (event) => {
  if ($("form[data-form][data-dirty]") && !sessionStorage.getItem("sent") && !sessionStorage.getItem("reopen")) event.preventDefault();
});

// --- dialogs and drawer ---------------------------------------------------------------------------------------------
// A drawer that a lost session has closed opens again on the same page after the sign-in.

document.addEventListener("htmx:beforeOnLoad", (event) => {
  const { xhr, elt, requestConfig } = event.detail;
  const box = elt.closest("dialog");
  const to = xhr.getResponseHeader("HX-Redirect");
  if (to?.includes("/login") && box?.dataset.opened) {
    sessionStorage.setItem("reopen", JSON.stringify({ page: location.pathname + location.search, url: box.dataset.opened, target: `#${box.id}-body` }));
  } else if (elt.matches("form[data-form]") && requestConfig.verb === "post" && xhr.status === 204) {
    dropDraft(elt);
    sessionStorage.removeItem("sent");
  }
});

document.addEventListener("htmx:afterRequest", (event) => {
  const { target, pathInfo, requestConfig } = event.detail;
  if (requestConfig.verb === "get" && target?.matches("#drawer-body, #dialog-body")) target.closest("dialog").dataset.opened = pathInfo.finalRequestPath;
});

function reopen() {
  const closed = JSON.parse(sessionStorage.getItem("reopen") || "null");
  if ($("form[action$='/login']")) return;
  sessionStorage.removeItem("reopen");
  if (closed?.page !== location.pathname + location.search) return;
  if ("palette" in closed) palette(closed.palette);
  else htmx.ajax("GET", closed.url, { target: closed.target });
}

// Closing asks first where something was typed.
function closeBox(box) {
  const form = $("form[data-form][data-dirty]", box);
  if (!form) {
    box.close();
    return;
  }
  const question = $("#leave");
  $("[data-leave]", question).onclick = () => {
    dropDraft(form);
    question.close();
    box.close();
  };
  question.showModal();
}

document.addEventListener("click", (event) => {
  const box = event.target.closest("dialog");
  if (!box) return;
  if (event.target.closest("[data-cancel]")) box.close();
  else if (event.target.closest("[data-close]") || event.target === box) closeBox(box); // the button, or the backdrop
});

for (const box of $$("dialog")) {
  box.addEventListener("cancel", (event) => {
    if (event.target !== box) return;
    event.preventDefault();
    closeBox(box);
  });
}
