// A page of a customer pool: sign in, see who is waiting, claim, and see at once what others have claimed.
import { claim, type Customer, customersOf, Failed, signIn, signOut, start, watch } from "./api";
import { speak, words } from "./words";

const main = document.querySelector("main")!;
const status = document.querySelector<HTMLElement>("[role=status]")!;
const rows = new Map<string, Customer>();
let stop = () => {};

/** An element with these properties and children; text is never read as HTML. */
function make<Name extends keyof HTMLElementTagNameMap>(
  name: Name, properties: Partial<HTMLElementTagNameMap[Name]> = {}, ...children: (Node | string)[]
): HTMLElementTagNameMap[Name] {
  const element = Object.assign(document.createElement(name), properties);
  element.append(...children);
  return element;
}

const say = (text: string) => void (status.textContent = text);

/** What a button does: says what went wrong, and asks to sign in when the session is over. */
async function attempt(action: () => Promise<void>): Promise<void> {
  try {
    await action();
  } catch (error) {
    say(error instanceof Failed ? error.message : words.failed);
    if (error instanceof Failed && error.code === "UNAUTHENTICATED") askWho();
  }
}

function askWho(): void {
  stop();
  speak("");
  const login = make("input", { name: "login", autocomplete: "username", required: true });
  const password = make("input", { name: "password", type: "password", autocomplete: "current-password", required: true });
  const form = make("form", {},
    make("label", {}, words.login, login), make("label", {}, words.password, password), make("button", {}, words.signIn));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void attempt(async () => {
      const [problem] = await signIn(login.value, password.value);
      say(problem?.message ?? "");
      if (!problem) await show();
    });
  });
  main.replaceChildren(form);
}

async function show(): Promise<void> {
  const mine = await start();
  if (!mine) return askWho();
  speak(mine.language);
  const choice = make("select", {}, ...mine.pools.map(({ id, name }) => make("option", { value: id }, name ?? "")));
  const body = make("tbody");
  const leave = make("button", { onclick: () => void attempt(async () => { await signOut(); askWho(); }) }, words.signOut);
  const heads = [words.number, words.name, words.region, ""].map((text) => make("th", { scope: "col" }, text));
  main.replaceChildren(
    make("header", {}, make("label", {}, words.pool, choice), leave),
    make("table", {}, make("thead", {}, make("tr", {}, ...heads)), body),
  );
  choice.addEventListener("change", () => follow(choice.value, body));
  if (choice.value) follow(choice.value, body);
}

/** Shows a pool as it is, and as it becomes. */
function follow(pool: string, body: HTMLElement): void {
  stop();
  const load = () => attempt(async () => {
    const found = await customersOf(pool);
    rows.clear();
    for (const customer of found) rows.set(customer.id, customer);
    draw(body);
  });
  stop = watch(pool, load, ({ customerId, left, customer }) => {
    if (left || !customer) rows.delete(customerId);
    else rows.set(customerId, customer);
    draw(body);
  }, () => void attempt(show)); // the session is over, or we fell behind: begin anew
}

function draw(body: HTMLElement): void {
  const empty = make("tr", {}, make("td", { colSpan: 4 }, words.empty));
  body.replaceChildren(...(rows.size ? [...rows.values()].map(row) : [empty]));
}

function row({ id, number, name, regionLabel }: Customer): HTMLElement {
  const button = make("button", {}, words.claim);
  button.addEventListener("click", () => {
    button.disabled = true;
    void attempt(async () => {
      const [problem] = await claim(id);
      say(problem?.message ?? words.claimed(name ?? number ?? ""));
    }).finally(() => (button.disabled = false));
  });
  const cells = [number, name, regionLabel].map((text) => make("td", {}, text ?? ""));
  return make("tr", {}, ...cells, make("td", {}, button));
}

speak("");
void attempt(show);
