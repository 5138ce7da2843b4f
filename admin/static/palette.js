// The palette: one box that finds pages, commands and records of every kind.  Loaded when it is first opened.
// It is a combobox: the focus stays in the box, and arrows move among the options, which are links.

const TYPING = 120; // ms without a key after which the server is asked
const SLOW = 300; // ms after which the box says that it waits

const box = $("#palette");
const form = $("form", box);
const input = $("[role=combobox]", box);
const list = $("#palette-list");
const state = $("[role=status]", box);

let asking = null; // the request that is on its way
let timer = 0;
let isWanted = false; // whether Enter was pressed before the answer was there

export function open(text, style) {
  if (box.open) {
    box.close();
    return;
  }
  if (!$(`link[href="${style}"]`)) document.head.append(Object.assign(document.createElement("link"), { rel: "stylesheet", href: style }));
  opener = document.activeElement; // closing gives the focus back to it
  input.value = text;
  show([]);
  state.textContent = "";
  box.showModal();
  input.focus();
  ask();
}

// --- asking --------------------------------------------------------------------------------------------------

function address() {
  const text = input.value.trim();
  if (text) return `/admin/palette/found?${new URLSearchParams({ q: text })}`;
  const { records, pages } = visited();
  const frequent = Object.keys(pages).sort((a, b) => pages[b] - pages[a]).slice(0, 5);
  return `/admin/palette?${new URLSearchParams({ records: records.join(), pages: frequent.join() })}`;
}

async function ask() {
  clearTimeout(timer);
  asking?.abort();
  const mine = asking = new AbortController();
  const slow = setTimeout(() => { state.textContent = WORDS.searching; }, SLOW);
  box.setAttribute("aria-busy", "true");
  try {
    const headers = { "HX-Request": "true", "HX-Target": "dialog-body", "HX-Current-URL": location.href };
    const answer = await fetch(address(), { headers, signal: mine.signal });
    const text = await answer.text();
    if (mine !== asking) return;
    const away = answer.headers.get("HX-Redirect");
    if (away) return leave(away);
    if (!answer.ok) throw new Error(answer.statusText);
    render(text);
  } catch (error) {
    if (mine === asking && error.name !== "AbortError") fail(navigator.onLine && error.message ? WORDS.failed : WORDS.unreachable);
  } finally {
    clearTimeout(slow);
    if (mine === asking) {
      asking = null;
      box.removeAttribute("aria-busy");
    }
  }
}

// A session that has ended leads to the sign-in, and from there back to this page with the same text in the box.
function leave(to) {
  sessionStorage.setItem("reopen", JSON.stringify({ page: location.pathname + location.search, palette: input.value }));
  location.assign(to);
}

function render(text) {
  const piece = new DOMParser().parseFromString(text, "text/html").querySelector("[data-said]");
  if (!piece) return fail(WORDS.failed);
  show(piece.children);
  state.textContent = piece.dataset.said;
  choose($("[data-best]", list));
  if (isWanted) take();
}

function fail(message) {
  isWanted = false;
  show([]);
  state.textContent = message;
}

function show(sections) {
  list.replaceChildren(...sections);
  input.setAttribute("aria-expanded", String(list.childElementCount > 0));
  choose(null);
}

// --- choosing ------------------------------------------------------------------------------------------------

const options = () => $$("[role=option]", list);
const chosen = () => $("[aria-selected=true]", list);

function choose(option) {
  chosen()?.setAttribute("aria-selected", "false");
  option?.setAttribute("aria-selected", "true");
  if (option) input.setAttribute("aria-activedescendant", option.id);
  else input.removeAttribute("aria-activedescendant");
  option?.scrollIntoView({ block: "nearest" });
}

function move(by) {
  const all = options();
  const at = all.indexOf(chosen());
  choose(all[at < 0 ? (by > 0 ? 0 : all.length - 1) : (at + by + all.length) % all.length]);
}

// Enter: the chosen option; else, once the answer to what was typed is there, the best one; else the page of results.
function take(isNewTab = false) {
  const option = chosen();
  isWanted = false;
  if (option) follow(option, isNewTab);
  else if (asking || timer) isWanted = true;
  else if (input.value.trim()) form.submit();
}

function follow(option, isNewTab) {
  if (option.dataset.fills) {
    input.value = option.dataset.fills;
    input.focus();
    ask();
  } else if (isNewTab) {
    window.open(option.href, "_blank", "noopener");
  } else if ("dialog" in option.dataset) {
    const href = option.getAttribute("href");
    box.close();
    htmx.ajax("GET", href, { target: "#dialog-body" });
  } else {
    location.assign(option.href);
  }
}

// --- events --------------------------------------------------------------------------------------------------

function typed() {
  isWanted = false;
  choose(null);
  clearTimeout(timer);
  timer = setTimeout(() => { timer = 0; ask(); }, TYPING);
}

input.addEventListener("input", (event) => { if (!event.isComposing) typed(); });
input.addEventListener("compositionend", typed);

input.addEventListener("keydown", (event) => {
  if (event.isComposing || event.keyCode === 229) return; // the keys are those of the input method
  const ends = { Home: 0, End: -1 };
  if (event.key === "ArrowDown" || event.key === "ArrowUp") move(event.key === "ArrowDown" ? 1 : -1);
  else if (event.key in ends && chosen()) choose(options().at(ends[event.key]));
  else if (event.key === "Enter") take(event.ctrlKey || event.metaKey);
  else return;
  event.preventDefault();
});

list.addEventListener("click", (event) => {
  const option = event.target.closest("[role=option]");
  if (!option || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  follow(option, false);
});

box.addEventListener("close", () => {
  clearTimeout(timer);
  timer = 0;
  asking?.abort();
  asking = null;
});
