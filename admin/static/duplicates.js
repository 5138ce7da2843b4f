// Matches of a form while the user types.  What counts is the check at save: without an answer nothing is shown.
const PAUSE = 300; // ms without a key
const PATIENCE = 8_000; // ms after which an answer is no longer waited for

// A claim that was begun in a form leaves the form, so that what was typed there is given up.
let left = null;
document.addEventListener("millpond:done", (event) => {
  if (left?.isConnected && !event.detail.refused) dropDraft(left);
  left = null;
}, true);

export function watchDuplicates(box) {
  const form = box.closest("form");
  const watched = new Set(box.dataset.watch.split(" "));
  let timer, request, last = "";

  function given() {
    const body = new URLSearchParams({ module: box.dataset.module, but: box.dataset.but });
    for (const input of form.elements) if (watched.has(input.name)) body.append(input.name, input.value.trim());
    return body;
  }

  function show(html) {
    box.innerHTML = html;
    if (html) htmx.process(box);
  }

  async function check(input) {
    const body = given();
    if (String(body) === last) return;
    last = String(body);
    request?.abort();
    request = new AbortController();
    const { signal } = request;
    const limit = setTimeout(() => request.abort(), PATIENCE);
    try {
      const answer = await fetch(box.dataset.url, { method: "POST", body, signal, headers: { "hx-target": "drawer-body" } });
      const html = answer.status === 200 ? await answer.text() : "";
      if (signal.aborted) return;
      if (html) input.closest(".field")?.after(box);
      show(html);
    } catch {
      if (last === String(body)) [last] = ["", show("")];
    } finally {
      clearTimeout(limit);
    }
  }

  function soon(event) {
    if (event.isComposing || !watched.has(event.target.name)) return;
    clearTimeout(timer);
    timer = setTimeout(() => form.isConnected && check(event.target), PAUSE);
  }

  form.addEventListener("compositionstart", () => clearTimeout(timer));
  for (const kind of ["input", "change", "compositionend"]) form.addEventListener(kind, soon);
  box.addEventListener("click", (event) => { if (event.target.closest("[hx-get]")) left = form; });
}
