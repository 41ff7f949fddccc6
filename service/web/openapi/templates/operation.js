// Shows one operation, and tries it.
"use strict";

const LONGEST_BODY = 100000;
const BODILESS = ["get", "head"];

function needOf(operation) {
  const ways = operation.security ?? [];
  if (ways.length === 0) return "for anybody";
  const scopes = [...new Set(ways.flatMap((way) => Object.values(way).map((one) => one.join(" ") || "a token")))];
  return (ways.some((way) => Object.keys(way).length === 0) ? "a token if any: " : "needs ") + scopes.join(", or ");
}

function showOperation(method, path, item, operation, session) {
  const output = element("div", { role: "status" });
  const fields = fieldsOf(method, [...(item.parameters ?? []), ...(operation.parameters ?? [])], operation.requestBody);
  const form = element("form", { className: "fields" }, ...fields.map((field) => field.label), element("button", { type: "submit" }, "Send"));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    output.replaceChildren(element("p", {}, "Waiting…"));
    output.replaceChildren(...(await send(method, path, fields, session)));
  });
  const title = [element("span", { className: "method" }, method.toUpperCase()), " ", element("code", {}, path), operation.summary ? ` ${operation.summary}` : ""];
  return element(
    "details", { id: `operation-${operation.operationId}` },
    element("summary", {}, ...title, element("span", { className: "note" }, ` (${needOf(operation)})`)),
    operation.deprecated ? element("p", { className: "problem" }, "Deprecated.") : null,
    ...[item.description, operation.description].filter(Boolean).map((text) => element("p", { className: "text" }, text)),
    form, output, showResponses(operation.responses),
  );
}

function fieldsOf(method, parameters, body) {
  const known = parameters.filter((one) => ["path", "query", "header"].includes(one.in));
  const fields = known.map((parameter) => {
    const input = element("input", { required: parameter.required === true, autocomplete: "off", spellcheck: false });
    const name = `${parameter.name} (${parameter.in}${parameter.required ? "" : ", may be empty"})`;
    const hint = [parameter.description, parameter.schema?.pattern].filter(Boolean).join(" ");
    const label = element("label", {}, name, hint ? element("span", { className: "note" }, hint) : null, input);
    return { parameter, input, label };
  });
  if (!BODILESS.includes(method) && (body !== undefined || method !== "delete")) {
    const types = Object.keys(body?.content ?? { "application/json": {} });
    const type = element("select", {}, ...types.map((one) => element("option", {}, one)));
    const input = element("textarea", { required: body?.required === true, spellcheck: false });
    const label = element("div", { className: "fields" }, element("label", {}, "Content type", type), element("label", {}, "Body", input));
    fields.push({ type, input, label });
  }
  return fields;
}

function requestOf(method, path, fields, session) {
  const url = new URL(path.replace(/^\//, ""), new URL(".", location.href));
  const headers = session.token ? { Authorization: `Bearer ${session.token}` } : {};
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
  let answer, text;
  try {
    const { url, options } = requestOf(method, path, fields, session);
    answer = await fetch(url, options);
    text = await answer.text();
  } catch (error) {
    return [element("p", { className: "problem" }, `Nothing came back: ${error.message}`)];
  }
  const explained = explain(answer.status, readChallenge(answer.headers.get("WWW-Authenticate")), answer.headers.get("Retry-After"));
  const headers = [...answer.headers].flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)]);
  return [
    element("h3", { className: "answer" }, `${answer.status} ${answer.statusText}`),
    explained && element("p", { className: "problem" }, explained.sentence),
    explained?.ask && element("button", { type: "button", className: "plain", onclick: () => session.askFor(explained.ask) }, "Authorize for that"),
    element("h3", {}, "Body"), element("pre", { tabIndex: 0 }, pretty(text)),
    element("h3", {}, "Headers"), element("dl", {}, ...headers),
  ].filter(Boolean);
}

function pretty(text) {
  try {
    text = JSON.stringify(JSON.parse(text), null, 2);
  } catch { /* then it is shown as it came */ }
  return text.length > LONGEST_BODY ? `${text.slice(0, LONGEST_BODY)}\n… and ${text.length - LONGEST_BODY} characters more` : text || "(empty)";
}

function showResponses(responses) {
  const rows = Object.entries(responses).flatMap(([status, one]) => [element("dt", {}, status), element("dd", {}, resolve(one).description)]);
  return element("div", {}, element("h3", {}, "Answers"), element("dl", {}, ...rows));
}
