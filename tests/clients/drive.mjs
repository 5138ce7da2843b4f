// One client of the API through its story, as JSON: node drive.mjs RECIPE URL TOKEN PREFIX
const [recipe, url, token, prefix] = process.argv.slice(2);
const said = [];
for (const level of ["log", "info", "warn", "error"]) {
  const shown = console[level];
  console[level] = (...words) => (level === "log" ? shown(...words) : said.push(`${level}: ${words.map(String).join(" ")}`));
}
process.on("warning", (warning) => said.push(`warning: ${warning.message}`));

const { open } = await import(recipe);
const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));
const filter = { name: { startsWith: prefix } };
const shown = async (list, turn, hasMore) => {
  const steps = [];
  for (let step = 0; step < 3; step += 1) {
    const before = list.rows().length;
    if (step) await turn(2);
    for (let wait = 0; step && wait < 100 && list.rows().length === before; wait += 1) await pause(20);
    steps.push([list.rows().map((row) => row.name), list.ends()[hasMore]]);
  }
  return steps;
};

const client = open(url, token);
const list = await client.pool(filter, { first: 2 });
const forward = await shown(list, list.next, "hasNextPage");
const reverse = await open(url, token).pool(filter, { last: 2 });
const backward = await shown(reverse, reverse.previous, "hasPreviousPage");

const { id } = list.rows()[0];
const claim = await client.claim(id);
const again = await client.claim(id);
const { version } = claim.customers[0];
const renamed = await client.rename({ id, version, name: `${prefix} renamed` });
const conflict = await client.rename({ id, version, name: `${prefix} renamed by somebody else` });
const node = await client.customer(id);
await pause(50); // what is said late is heard as well

console.log(JSON.stringify({ forward, backward, claim, again, renamed, conflict, node, said }));
process.exit(0);
