// Shows one operation and sends its request.
"use strict";

const MAX_SHOWN_CHARACTERS = 100000;
const METHODS_WITHOUT_BODY = ["get", "head"];

function describeSecurity(operation) {
  const requirements = operation.security ?? [];
  if (requirements.length === 0) return "public";
  const scopes = [...new Set(requirements.flatMap((schemes) => Object.values(schemes).map((names) => names.join(" ") || "a token")))];
  return (requirements.some((schemes) => Object.keys(schemes).length === 0) ? "optional: " : "requires ") + scopes.join(", or ");
}

function showOperation(method, path, item, operation, session) {
  const output = element("div", { role: "status" });
  const fields = fieldsOf(method, [...(item.parameters ?? []), ...(operation.parameters ?? [])].map(resolve), operation.requestBody);
  const form = element("form", { className: "fields" }, ...fields.map((field) => field.label), element("button", { type: "submit" }, "Send"));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    output.replaceChildren(element("p", {}, "Waiting…"));
    output.replaceChildren(...(await send(method, path, fields, session)));
  });
  const title = [element("span", { className: "method" }, method.toUpperCase()), " ", element("code", {}, path), operation.summary ? ` ${operation.summary}` : ""];
  return element(
    "details", { id: `operation-${operation.operationId}` },
    element("summary", {}, ...title, element("span", { className: "note" }, ` (${describeSecurity(operation)})`)),
    operation.deprecated ? element("p", { className: "problem" }, "Deprecated.") : null,
    ...[item.description, operation.description].filter(Boolean).map((text) => element("p", { className: "text" }, text)),
    form, output, showResponses(operation.responses),
  );
}

// The page makes the proof itself, since each is accepted once.
const isProof = ({ name, in: place }) => place === "header" && name.toLowerCase() === "dpop";

function fieldsOf(method, parameters, body) {
  const supported = parameters.filter((parameter) => ["path", "query", "header"].includes(parameter.in) && !isProof(parameter));
  const fields = supported.map((parameter) => {
    const input = element("input", { required: parameter.required === true, autocomplete: "off", spellcheck: false });
    const name = `${parameter.name} (${parameter.in}${parameter.required ? "" : ", optional"})`;
    const hint = [parameter.description, parameter.schema?.pattern].filter(Boolean).join(" ");
    const label = element("label", {}, name, hint ? element("span", { className: "note" }, hint) : null, input);
    return { parameter, input, label };
  });
  if (!METHODS_WITHOUT_BODY.includes(method) && (body !== undefined || method !== "delete")) {
    const types = Object.keys(body?.content ?? { "application/json": {} });
    const type = element("select", {}, ...types.map((name) => element("option", {}, name)));
    const input = element("textarea", { required: body?.required === true, spellcheck: false });
    const label = element("div", { className: "fields" }, element("label", {}, "Content type", type), element("label", {}, "Body", input));
    fields.push({ type, input, label });
  }
  return fields;
}

function requestOf(method, path, fields, session) {
  const url = new URL(path.replace(/^\//, ""), new URL(".", location.href));
  const headers = session.token ? { Authorization: `${session.key === null ? "Bearer" : "DPoP"} ${session.token}` } : {};
  let [target, body] = [url.pathname.replaceAll("%7B", "{").replaceAll("%7D", "}"), undefined];
  for (const { parameter, input, type } of fields) {
    if (type !== undefined) {
      if (input.value !== "") [body, headers["Content-Type"]] = [input.value, type.value];
    } else if (parameter.in === "path") {
      const parts = parameter["x-slashes"] ? input.value.split("/") : [input.value];
      target = target.replace(`{${parameter.name}}`, () => parts.map(encodeURIComponent).join("/"));
    } else if (input.value !== "" && parameter.in === "query") url.searchParams.append(parameter.name, input.value);
    else if (input.value !== "") headers[parameter.name] = input.value;
  }
  return { url: location.origin + target + url.search, options: { method: method.toUpperCase(), headers, body, credentials: "omit", cache: "no-store" } };
}

async function send(method, path, fields, session) {
  let response, text;
  try {
    const { url, options } = requestOf(method, path, fields, session);
    const { key, token, nonces } = session;
    // A nonce is good for one handler.
    response = await (key === null ? fetch(url, options) : fetchWithProof(key, url, options, { token, nonces, place: path }));
    text = await response.text();
  } catch (error) {
    return [element("p", { className: "problem" }, `The request failed: ${error.message}`)];
  }
  const explanation = explain(response.status, parseChallenge(response.headers.get("WWW-Authenticate")), response.headers.get("Retry-After"));
  const headers = [...response.headers].flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)]);
  return [
    element("h3", { className: "response" }, `${response.status} ${response.statusText}`),
    explanation && element("p", { className: "problem" }, explanation.sentence),
    explanation?.request && element("button", { type: "button", className: "plain", onclick: () => session.requestScope(explanation.request) }, "Authorize for this request"),
    element("h3", {}, "Body"), element("pre", { tabIndex: 0 }, pretty(text)),
    element("h3", {}, "Headers"), element("dl", {}, ...headers),
  ].filter(Boolean);
}

function pretty(text) {
  try {
    text = JSON.stringify(JSON.parse(text), null, 2);
  } catch { /* not JSON: shown unchanged */ }
  return text.length > MAX_SHOWN_CHARACTERS ? `${text.slice(0, MAX_SHOWN_CHARACTERS)}\n… and ${text.length - MAX_SHOWN_CHARACTERS} characters more` : text || "(empty)";
}

function showResponses(responses) {
  const rows = Object.entries(responses).flatMap(([status, response]) => [element("dt", {}, status), element("dd", {}, resolve(response).description)]);
  return element("div", {}, element("h3", {}, "Responses"), element("dl", {}, ...rows));
}
