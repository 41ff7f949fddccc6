// The console's own script in a document without a picture; argv: the URL of the fake issuer.
import { JSDOM, VirtualConsole } from "jsdom";

const url = process.argv[2];
const errors = [];
const virtualConsole = new VirtualConsole();
for (const kind of ["error", "jsdomError"]) {
  virtualConsole.on(kind, (error) => errors.push(String(error.message ?? error)));
}
const page = await (await fetch(`${url}/_fake/`, { headers: { Accept: "text/html" } })).text();
const { window } = new JSDOM(page, {
  url: `${url}/_fake/`,
  runScripts: "dangerously",
  virtualConsole,
  beforeParse(made) { made.fetch = (path, options) => fetch(new URL(path, url), options); },
});
const at = (id) => window.document.getElementById(id);

async function until(holds) {
  for (let tries = 0; tries < 500 && !holds(); tries += 1) { await new Promise((go) => setTimeout(go, 10)); }
}
async function did(id, kind, sentence) {
  at(id).dispatchEvent(new window.Event(kind, { cancelable: true, bubbles: true }));
  await until(() => at("said").textContent === sentence);
  return at("said").textContent === sentence;
}

await until(() => at("keys").rows?.length ?? window.document.querySelectorAll("#keys tr").length);
at("mint-sub").value = "alice@example.com";
const done = {
  rotated: await did("rotate", "submit", "The keys were rotated."),
  minted: await did("mint", "submit", "A token was minted."),
  planned: await did("fault", "submit", "The fault is planned."),
  cleared: await did("clear-faults", "click", "No fault is planned."),
  moved: await did("clock", "submit", "The clock was moved."),
};
console.log(JSON.stringify({ done, curl: at("curl").textContent, errors }));
process.exit(0);
