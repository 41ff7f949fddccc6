// Joins the parts: the document becomes a list, the forms get a token, and each operation finds it here.
"use strict";

let api = { paths: {}, components: {} };
const session = { token: "", ask: {}, where: "", askFor };

const resolve = (one) => (one.$ref ?? "").split("/").slice(1).reduce((found, name) => found[name], one.$ref ? api : one);

function complain(error) {
  show("problem", error.message);
}

function take({ token, seconds, who }) {
  session.token = token;
  show("problem", "");
  at("state").textContent = who === undefined ? "A pasted token is used." : `Signed in as ${who}${seconds ? `, for ${Math.round(seconds / 60)} minutes` : ""}.`;
  at("forget").hidden = false;
}

function forget() {
  session.token = "";
  at("state").textContent = "Nobody is signed in.";
  at("forget").hidden = true;
}

// A refusal said what a token must have: the next sign-in asks for it.
function askFor({ scope, ...better }) {
  const scopes = new Set([...at("scope").value.split(/\s+/), ...(scope ?? "").split(" ")].filter(Boolean));
  at("scope").value = [...scopes].join(" ");
  session.ask = better;
  const wishes = Object.entries(better).filter(([, value]) => value).map(([name, value]) => `${name} ${value}`);
  show("better", wishes.length ? `The issuer will be asked for ${wishes.join(" and ")}.` : "");
  at("sign-in").querySelector("button").focus();
}

function list() {
  const groups = new Map([["", []]]);
  const scopes = new Set(["openid", "profile"]);
  for (const [path, item] of Object.entries(api.paths)) {
    for (const method of ["get", "put", "post", "delete", "options", "head", "patch"].filter((one) => one in item)) {
      const operation = item[method];
      const tag = operation.tags?.[0] ?? "";
      groups.set(tag, [...(groups.get(tag) ?? []), showOperation(method, path, item, operation, session)]);
      const [preferred = {}] = (operation.security ?? []).filter((way) => Object.keys(way).length > 0);
      for (const one of Object.values(preferred).flat()) scopes.add(one);
    }
  }
  for (const [tag, operations] of groups) {
    at("operations").append(...(tag ? [element("h3", {}, tag)] : []), ...operations);
  }
  at("operations").addEventListener("toggle", (event) => { if (event.target.open) session.where = event.target.id; }, true);
  at("scope").value = [...scopes].join(" ");
  show("version", `version ${api.info.version}`);
}

async function start() {
  at("issuer").append(...ISSUERS.map((issuer) => element("option", {}, issuer)));
  at("sign-in").addEventListener("submit", (event) => {
    event.preventDefault();
    show("problem", "");
    const wanted = { issuer: at("issuer").value, clientId: at("client-id").value.trim(), scope: at("scope").value.trim() };
    signIn({ ...wanted, ask: session.ask, where: session.where }).catch(complain);
  });
  at("paste").addEventListener("submit", (event) => {
    event.preventDefault();
    take({ token: at("token").value.trim() });
    at("token").value = "";
  });
  at("forget").addEventListener("click", forget);
  const finishing = finishSignIn().catch(complain); // the code leaves the address before anything else is waited for
  api = await (await fetch("openapi.json", { credentials: "omit" })).json();
  list();
  const signedIn = await finishing;
  if (signedIn) {
    take(signedIn);
    const operation = at(signedIn.where);
    if (operation) operation.open = true;
    (operation?.querySelector("summary") ?? at("operations")).focus();
  }
}

start().catch(complain).finally(() => { document.body.dataset.ready = "yes"; });
