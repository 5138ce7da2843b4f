// Choosers: selects in which one types.  What is typed narrows the options, and Enter takes only an option that fits it.
"use strict";

const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

const WORDS = JSON.parse(document.body.dataset.words || "{}");

function say(key, text) {
  return (WORDS[key] || "%s").replace("%s", text);
}

// The options of a chooser whose records the server finds.  Only those are shown that were found for what is typed now:
// what was found for other words stays out of the list, and Enter cannot take it while an answer is on its way.
class Found {
  constructor(select) {
    this.select = select;
    this.ranks = new Map();
    this.failed = new Set();
    this.own = [...select.options].filter((each) => each.value && !each.selected); // like “me” in filters
  }

  fittingOwn(query) {
    return this.own.filter((each) => each.text.toLowerCase().includes(query.toLowerCase())).map((each) => each.value);
  }

  get context() {
    const narrowing = this.select.dataset.narrow && this.select.form.elements[this.select.dataset.narrow];
    return narrowing ? `${this.select.dataset.narrow}=${encodeURIComponent(narrowing.value)}` : "";
  }

  key(query) {
    return `${this.context}\n${query}`;
  }

  has(query) {
    return this.ranks.has(this.key(query));
  }

  values(query) {
    return [...this.fittingOwn(query), ...(this.ranks.get(this.key(query)) || new Map()).keys()];
  }

  score(query) {
    const ranks = this.ranks.get(this.key(query));
    const own = new Set(this.fittingOwn(query));
    return (option) => (own.has(option.value) ? 2 : ranks?.has(option.value) ? 1 - ranks.get(option.value) / 1000 : 0);
  }

  async load(query) {
    const key = this.key(query);
    const address = `${this.select.dataset.lookup}?q=${encodeURIComponent(query)}&${this.context}`;
    try {
      const answer = await fetch(address, { headers: { accept: "application/json" } });
      if (!answer.ok) throw new Error(answer.statusText);
      const options = await answer.json();
      this.ranks.set(key, new Map(options.map((option, rank) => [option.value, rank])));
      this.failed.delete(key);
      return options;
    } catch {
      this.failed.add(key);
      return null;
    }
  }
}

function searching(select) {
  const found = select.dataset.lookup ? new Found(select) : null;
  const note = document.createElement("div");
  note.className = "hint chooser-note";
  note.setAttribute("role", "status");
  let typed = "";
  let wanted = null; // what was typed when Enter was pressed before the answer was there
  let isMoved = false; // whether arrows or the mouse have marked an option since the list opened
  const chooser = new TomSelect(select, {
    maxOptions: 100,
    valueField: "value",
    labelField: "text",
    searchField: found ? [] : ["text"],
    allowEmptyOption: !select.multiple && !select.required,
    closeAfterSelect: !select.multiple,
    refreshThrottle: 0,
    loadThrottle: 200,
    preload: found ? "focus" : false,
    shouldLoad: () => true,
    score: found ? (query) => found.score(query) : undefined,
    load: found
      ? async (query, done) => {
        const options = await found.load(query);
        if (!options) delete chooser.loadedSearches[query];
        done(options || []);
        if (wanted === query) take(query);
      }
      : null,
    render: {
      option: (option, escape) => `<div>${escape(option.text)}${option.more ? ` <span class="option-more">${escape(option.more)}</span>` : ""}</div>`,
      no_results: (data) => line(found?.failed.has(found.key(data.input)) ? WORDS.unreachable : say("nothing", data.input)),
      loading: () => line(WORDS.searching),
    },
  });
  chooser.wrapper.after(note);

  function line(text) {
    const shown = document.createElement("div");
    shown.className = "no-results";
    shown.textContent = text;
    return shown;
  }

  function take(query) {
    wanted = null;
    const values = found.values(query);
    const exact = values.filter((value) => chooser.options[value]?.text.toLowerCase() === query.toLowerCase());
    const [value, ...others] = exact.length ? exact : values;
    if (value && !others.length) chooser.addItem(value);
    else if (!chooser.isFocused) note.textContent = value ? say("several", query) : say("nothing", query);
  }

  chooser.on("type", (text) => {
    typed = text;
    wanted = null;
    isMoved = false;
    note.textContent = "";
  });
  chooser.on("item_add", () => {
    typed = "";
    note.textContent = "";
    select.form.elements[select.dataset.excludes]?.tomselect?.clear();
  });
  chooser.on("dropdown_open", () => { isMoved = false; });
  chooser.on("blur", () => {
    if (typed) note.textContent = wanted === typed ? WORDS.searching : say("unchosen", typed);
    typed = "";
    chooser.setTextboxValue("");
    chooser.lastQuery = null;
  });
  chooser.dropdown.addEventListener("mousemove", () => { isMoved = true; });

  // Before Tom Select hears of it: a word that an input method is composing is not typed yet, and Enter ends it.
  chooser.wrapper.addEventListener("keydown", (event) => {
    if (event.isComposing || event.keyCode === 229) {
      event.stopPropagation();
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      isMoved = true;
    } else if (event.key === "Enter" && !isMoved) {
      const query = chooser.inputValue();
      if (query && (!found || found.has(query))) return;
      wanted = query || null;
      event.preventDefault();
      event.stopPropagation();
    }
  }, true);
  chooser.wrapper.addEventListener("input", (event) => {
    if (event.isComposing) event.stopPropagation();
  }, true);
  chooser.wrapper.addEventListener("compositionend", () => chooser.onInput(new Event("input")));

  const narrowing = select.dataset.narrow && select.form.elements[select.dataset.narrow];
  narrowing?.addEventListener("change", () => {
    chooser.clear();
    chooser.clearOptions();
    chooser.wrapper.classList.remove("preloaded");
  });
  if ("fixed" in select.dataset) chooser.lock();
  const label = $(`label[for="${select.id}"]`)?.textContent.trim() || select.getAttribute("aria-label");
  if (label) for (const each of [chooser.control_input, select]) each.setAttribute("aria-label", label);
  const about = select.getAttribute("aria-describedby");
  if (about) chooser.control_input.setAttribute("aria-describedby", about);
}
