// Lists the operations of the document, obtains a token through the forms, and keeps it for the operations.
"use strict";

let api = { paths: {}, components: {} };
const session = { token: "", key: null, nonces: new Map(), stepUp: {}, operation: "", requestScope };

const resolve = (item) => (item.$ref ?? "").split("/").slice(1).reduce((parent, name) => parent[name], item.$ref ? api : item);

function showError(error) {
  show("problem", error.message);
}

function useToken({ token, key = null, seconds, user }) {
  Object.assign(session, { token, key, nonces: new Map() });
  show("problem", "");
  at("state").textContent = user === undefined ? "A pasted token is used." : `Signed in as ${user}${seconds ? `, for ${Math.round(seconds / 60)} minutes` : ""}.`;
  show("binding", key === null ? "" : "The token is bound to a key of this page, so it works nowhere else.");
  at("discard").hidden = false;
}

function discardToken() {
  Object.assign(session, { token: "", key: null, nonces: new Map() });
  show("binding", "");
  at("state").textContent = "Not signed in.";
  at("discard").hidden = true;
}

// Prepares a sign-in for the scope or the step-up that a challenge requires.
function requestScope({ scope, ...stepUp }) {
  const scopes = new Set([...at("scope").value.split(/\s+/), ...(scope ?? "").split(" ")].filter(Boolean));
  at("scope").value = [...scopes].join(" ");
  session.stepUp = stepUp;
  const parameters = Object.entries(stepUp).filter(([, value]) => value).map(([name, value]) => `${name} ${value}`);
  show("step-up", parameters.length ? `The next sign-in requests ${parameters.join(" and ")}.` : "");
  at("sign-in").querySelector("button").focus();
}

function list() {
  const groups = new Map([["", []]]);
  const scopes = new Set(["openid", "profile"]);
  for (const [path, item] of Object.entries(api.paths)) {
    for (const method of ["get", "put", "post", "delete", "options", "head", "patch"].filter((name) => name in item)) {
      const operation = item[method];
      const tag = operation.tags?.[0] ?? "";
      groups.set(tag, [...(groups.get(tag) ?? []), showOperation(method, path, item, operation, session)]);
      const [preferred = {}] = (operation.security ?? []).filter((requirement) => Object.keys(requirement).length > 0);
      for (const scope of Object.values(preferred).flat()) scopes.add(scope);
    }
  }
  for (const [tag, operations] of groups) {
    at("operations").append(...(tag ? [element("h3", {}, tag)] : []), ...operations);
  }
  at("operations").addEventListener("toggle", (event) => { if (event.target.open) session.operation = event.target.id; }, true);
  at("scope").value = [...scopes].join(" ");
  show("version", `version ${api.info.version}`);
}

async function start() {
  at("issuer").append(...Object.keys(ISSUERS).map((issuer) => element("option", {}, issuer)));
  at("sign-in").addEventListener("submit", (event) => {
    event.preventDefault();
    show("problem", "");
    const fields = { issuer: at("issuer").value, clientId: at("client-id").value.trim(), scope: at("scope").value.trim() };
    signIn({ ...fields, stepUp: session.stepUp, operation: session.operation }).catch(showError);
  });
  at("paste").addEventListener("submit", (event) => {
    event.preventDefault();
    useToken({ token: at("token").value.trim() });
    at("token").value = "";
  });
  at("discard").addEventListener("click", discardToken);
  const finishing = finishSignIn().catch(showError); // removes the code from the URL before any request
  api = await (await fetch("openapi.json", { credentials: "omit" })).json();
  list();
  const signedIn = await finishing;
  if (signedIn) {
    useToken(signedIn);
    const operation = at(signedIn.operation);
    if (operation) operation.open = true;
    (operation?.querySelector("summary") ?? at("operations")).focus();
  }
}

start().catch(showError).finally(() => { document.body.dataset.ready = "yes"; });
