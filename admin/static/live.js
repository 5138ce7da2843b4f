// Changes while a page is visible: the number of the bell, rows that have left a pool, jobs that got on.  Without an
// answer the page stays as it is.  A hidden page waits for nothing, because a browser has few connections.
const bell = document.getElementById("bell");
const LATER = 30_000; // ms until a server that answers nothing is asked again
const waiting = new Set(); // rows that have left while a command of their list was under way
let source, timer;

// htmx tells a button what came of its command; a button that is gone would tell the page nothing.
const isSending = () => [...document.forms].some((form) => form.sending);

function leave(id) {
  const row = document.querySelector(`#rows tr [value="${id}"]`)?.closest("tr");
  if (!row) return;
  if (isSending()) {
    waiting.add(id);
    return;
  }
  const next = row.contains(document.activeElement) && (row.nextElementSibling || row.previousElementSibling);
  row.remove();
  if (next) next.querySelector("a, button")?.focus();
  countSelected();
}

function listen() {
  clearTimeout(timer);
  source?.close();
  if (document.hidden) return;
  const shown = [...document.querySelectorAll("#rows tr [name=one]")].map((button) => button.value);
  source = new EventSource(`${bell.dataset.live}&shown=${[...new Set(shown)].join("+")}`);
  source.addEventListener("bell", ({ data }) => {
    bell.textContent = data;
    bell.hidden = !data;
  });
  source.addEventListener("left", ({ data }) => data.split(" ").forEach(leave));
  source.addEventListener("jobs", () => isSending() || htmx.ajax("GET", location.href, { target: "#main .list", select: "#main .list", swap: "outerHTML" }));
  source.onerror = () => {
    if (source.readyState === EventSource.CLOSED) timer = setTimeout(listen, LATER);
  };
}

if (bell) {
  document.addEventListener("htmx:afterRequest", () => setTimeout(() => {
    const ids = [...waiting];
    waiting.clear();
    ids.forEach(leave);
  }));
  document.addEventListener("visibilitychange", listen);
  addEventListener("pagehide", () => source?.close());
  addEventListener("pageshow", ({ persisted }) => persisted && listen());
  listen();
}
