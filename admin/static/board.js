// The board of opportunities: cards are dragged, or moved with Shift and the arrow keys.  A card that the server does
// not let go stands in its old place again, with the reason above the board.

let dragged = null;

const board = () => document.querySelector("[data-board]");
const lanes = () => [...document.querySelectorAll("[data-board] [data-stage]")];
const laneOf = (node) => node.closest("[data-stage]");
const cardsOf = (lane) => [...lane.querySelectorAll("[data-card]")];

// --- moving a card --------------------------------------------------------------------------------------------------

async function move(card, lane) {
  const from = laneOf(card), next = card.nextElementSibling, list = lane.querySelector(".board-cards");
  if (lane === from || !lane.dataset.stage) return;
  say("");
  if (lane.dataset.ask) {
    const asked = `${board().dataset.asks}${lane.dataset.ask}?ids=${card.dataset.card}`;
    await htmx.ajax("GET", asked, { target: "#dialog-body" });
    return;
  }
  list.prepend(card);
  focusOn(card);
  card.setAttribute("aria-busy", "true");
  const refusal = await send(card, lane);
  card.removeAttribute("aria-busy");
  if (refusal) {
    from.querySelector(".board-cards").insertBefore(card, next);
    focusOn(card);
    say(refusal.text, refusal.isConflict);
  } else {
    await renew(card);
  }
}

async function send(card, lane) {
  const given = { id: card.dataset.card, stage: lane.dataset.stage, version: card.dataset.version };
  try {
    const answer = await fetch(board().dataset.move, { method: "POST", body: new URLSearchParams(given), headers: { "X-Board": "1" } });
    if (answer.ok && !answer.redirected) return null;
    const isSaid = answer.status === 409 || answer.status === 422;
    return { text: isSaid ? await answer.text() : WORDS.failed, isConflict: answer.status === 409 };
  } catch {
    return { text: WORDS.unreachable, isConflict: false };
  }
}

// The sums of all columns, and the card with its new version; cards that were loaded before stay.
async function renew(card) {
  const answer = await fetch(location.href).catch(() => null);
  if (!answer?.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const lane of lanes()) {
    const head = fresh.querySelector(`[data-stage="${CSS.escape(lane.dataset.stage)}"] [data-head]`);
    if (head) lane.querySelector("[data-head]").replaceWith(head);
  }
  const made = fresh.getElementById(card.id);
  if (!made || !card.isConnected) return;
  const had = card.contains(document.activeElement);
  card.replaceWith(made);
  htmx.process(made);
  if (had) focusOn(made);
}

function focusOn(card) {
  card.querySelector(".board-name").focus();
}

function say(text, isConflict = false) {
  const place = document.getElementById("board-said");
  place.replaceChildren();
  if (!text) return;
  const line = document.createElement("div");
  line.className = "alert alert-danger";
  line.textContent = text;
  if (isConflict) {
    const link = document.createElement("a");
    link.href = location.href;
    link.textContent = board().dataset.reload;
    line.append(" ", link);
  }
  place.append(line);
}

// --- by the mouse -------------------------------------------------------------------------------------------------

document.addEventListener("dragstart", (event) => {
  dragged = event.target.closest?.("[data-card]");
  if (!dragged) return;
  event.dataTransfer.effectAllowed = "move";
  event.dataTransfer.setData("text/plain", dragged.dataset.card);
  dragged.classList.add("is-dragged");
});

document.addEventListener("dragend", () => {
  dragged?.classList.remove("is-dragged");
  for (const lane of lanes()) lane.classList.remove("is-over");
  dragged = null;
});

document.addEventListener("dragover", (event) => {
  const lane = dragged && event.target.closest?.("[data-stage]");
  for (const each of lanes()) each.classList.toggle("is-over", each === lane && each !== laneOf(dragged));
  if (lane) event.preventDefault();
});

document.addEventListener("drop", (event) => {
  const lane = dragged && event.target.closest?.("[data-stage]");
  if (!lane) return;
  event.preventDefault();
  move(dragged, lane);
});

// --- by the keys --------------------------------------------------------------------------------------------------

const STEPS = { ArrowLeft: -1, ArrowRight: 1 };

document.addEventListener("keydown", (event) => {
  const card = event.target.closest?.("[data-card]");
  if (!card || event.altKey || event.ctrlKey || event.metaKey || document.querySelector("dialog[open]")) return;
  if (event.key in STEPS) sideways(event, card);
  else if (event.key === "ArrowUp" || event.key === "ArrowDown") {
    const other = event.key === "ArrowUp" ? card.previousElementSibling : card.nextElementSibling;
    event.preventDefault();
    (other?.querySelector(".board-name") || other?.querySelector("a"))?.focus();
  }
});

function sideways(event, card) {
  const all = lanes(), here = all.indexOf(laneOf(card)), step = STEPS[event.key];
  event.preventDefault();
  if (event.shiftKey) {
    if (card.draggable && all[here + step]) move(card, all[here + step]);
    return;
  }
  const row = cardsOf(all[here]).indexOf(card);
  for (let at = here + step; all[at]; at += step) {
    const cards = cardsOf(all[at]);
    if (cards.length) return focusOn(cards[Math.min(row, cards.length - 1)]);
  }
}
