// Where a record was opened from: the list with its filter and its page, and the records before and after it there.
"use strict";

const TRAIL = "trail";

function trailOf(page, address) {
  const rows = $$("#rows [data-row] .open", page).map((link) => new URL(link.getAttribute("href"), address).pathname);
  const turn = (way) => $(`.pager [rel=${way}]`, page)?.getAttribute("href") || "";
  return { path: address.pathname, url: address.pathname + address.search, title: $("h1", page)?.textContent || "", rows, next: turn("next"), prev: turn("prev") };
}

function latestTrail() {
  return JSON.parse(sessionStorage.getItem(TRAIL) || "null");
}

function keepTrail() {
  if ($("#rows [data-row] .open")) sessionStorage.setItem(TRAIL, JSON.stringify(trailOf(document, new URL(location.href))));
}

// The list as it was left, if it was the latest one.
function listed(address) {
  const trail = latestTrail();
  return trail?.path === address ? trail.url : address;
}

function showTrail() {
  const trail = latestTrail();
  const back = $(".crumbs [data-list]");
  if (!trail || !back) return;
  const at = trail.rows.indexOf(location.pathname.replace("/edit/", "/details/"));
  if (at < 0) {
    back.href = listed(back.getAttribute("href"));
    return;
  }
  back.href = trail.url;
  back.textContent = trail.title;
  const beside = $("[data-neighbours]");
  if (!beside) return;
  for (const [name, by, page] of [["prev", -1, trail.prev], ["next", 1, trail.next]]) {
    const link = $(`[rel=${name}]`, beside);
    link.hidden = !trail.rows[at + by] && !page;
    link.href = trail.rows[at + by] || page;
    if (!trail.rows[at + by]) link.dataset.turns = by;
  }
  beside.hidden = false;
}

// Beyond the end of a page of the list the neighbour is the first, or the last, record of the page that follows.
document.addEventListener("click", async (event) => {
  const link = event.target.closest("[data-neighbours] [data-turns]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const address = new URL(link.href);
  try {
    const answer = await fetch(address);
    const trail = trailOf(new DOMParser().parseFromString(await answer.text(), "text/html"), address);
    if (trail.rows.length) sessionStorage.setItem(TRAIL, JSON.stringify(trail));
    location.assign(trail.rows.at(link.dataset.turns > 0 ? 0 : -1) || address);
  } catch {
    toast(WORDS.unreachable, true);
  }
});
