// Authorization code with PKCE: RFC 6749 section 4.1, RFC 7636, RFC 9207, OpenID Connect Core 1.0 section 3.1.
"use strict";

// The key of the state, nonce and verifier, which must survive the redirect; never of a code or a token.
const PENDING = "docs-sign-in";
// Each with its mode of DPoP: off, allowed or required.
const ISSUERS = JSON.parse(document.body.dataset.issuers);
const PAGE_URL = location.origin + location.pathname;

async function fetchJSON(url, options = {}, send = fetch) {
  let response;
  try {
    response = await send(url, { credentials: "omit", redirect: "error", ...options });
  } catch {
    throw new Error(`${new URL(url).origin} cannot be reached from this page. It is down, it redirects to another address, or it does not allow requests from pages of ${location.origin}.`);
  }
  const document = await response.json().catch(() => ({}));
  return { ok: response.ok, document };
}

// The metadata must not navigate the browser to a `javascript:` URL.
function checkEndpoint(name, value) {
  const url = new URL(value);
  const loopback = ["127.0.0.1", "localhost", "[::1]"].includes(url.hostname);
  if (url.protocol !== "https:" && !(url.protocol === "http:" && loopback)) throw new Error(`The issuer's ${name} is not an https URL.`);
}

async function discover(issuer) {
  if (!Object.hasOwn(ISSUERS, issuer)) throw new Error("This API does not accept tokens of that issuer.");
  const { origin, pathname } = new URL(issuer);
  const path = pathname.replace(/\/+$/, "");
  for (const url of [`${origin}${path}/.well-known/openid-configuration`, `${origin}/.well-known/oauth-authorization-server${path}`]) {
    const { ok, document } = await fetchJSON(url);
    if (!ok) continue;
    // An issuer must not publish metadata for another one (RFC 8414 section 3.3).
    if (document.issuer !== issuer) throw new Error("The metadata belongs to another issuer.");
    checkEndpoint("authorization endpoint", document.authorization_endpoint);
    checkEndpoint("token endpoint", document.token_endpoint);
    return document;
  }
  throw new Error("The issuer publishes no metadata, so this page cannot find its sign-in page.");
}

async function signIn({ issuer, clientId, scope, stepUp, operation }) {
  if (!crypto.subtle) throw new Error("Browsers allow this sign-in only over https or on localhost; paste a token instead.");
  const metadata = await discover(issuer);
  const pending = { issuer, clientId, operation, state: random(), nonce: random(), verifier: random() };
  const url = new URL(metadata.authorization_endpoint);
  const parameters = {
    response_type: "code", client_id: clientId, redirect_uri: PAGE_URL, scope, state: pending.state,
    code_challenge: await hashOf(pending.verifier), code_challenge_method: "S256", ...stepUp,
  };
  if (scope.split(" ").includes("openid")) parameters.nonce = pending.nonce;
  for (const [name, value] of Object.entries(parameters)) if (value) url.searchParams.set(name, value);
  sessionStorage.setItem(PENDING, JSON.stringify(pending));
  location.assign(url);
}

// Returns null if the page was not opened by a redirect from the issuer.
async function finishSignIn() {
  const response = new URLSearchParams(location.search);
  const stored = sessionStorage.getItem(PENDING);
  sessionStorage.removeItem(PENDING);
  if (!response.has("code") && !response.has("error")) return null;
  history.replaceState(null, "", PAGE_URL); // before any request, so that the code is not in the history
  const pending = JSON.parse(stored);
  // Against login CSRF: a link with the code of an attacker would sign the user in as the attacker.
  if (pending === null || response.getAll("state").join() !== pending.state) throw new Error("This page did not start this sign-in. Authorize again.");
  const metadata = await discover(pending.issuer);
  const iss = response.get("iss");
  const namesItself = iss !== null || metadata.authorization_response_iss_parameter_supported === true;
  if (namesItself && iss !== pending.issuer) throw new Error("The response comes from another issuer.");
  if (response.has("error")) throw new Error(`The issuer rejected the sign-in: ${response.get("error")}. ${response.get("error_description") ?? ""}`);
  const form = {
    grant_type: "authorization_code", code: response.get("code"), redirect_uri: PAGE_URL,
    client_id: pending.clientId, code_verifier: pending.verifier,
  };
  const key = await createKeyFor(pending.issuer, metadata);
  const send = key === null ? fetch : (url, options) => fetchWithProof(key, url, options, { nonces: new Map(), place: url });
  const { ok, document } = await fetchJSON(metadata.token_endpoint, { method: "POST", body: new URLSearchParams(form) }, send);
  if (!ok) throw new Error(`The issuer rejected the code: ${document.error ?? "no reason given"}. ${document.error_description ?? ""}`);
  const isBound = key !== null && /^dpop$/i.test(document.token_type ?? "");
  if (!(isBound || /^bearer$/i.test(document.token_type ?? "")) || typeof document.access_token !== "string") throw new Error("The issuer did not return a bearer token, or one that is bound to the key of this page.");
  if (!isBound && ISSUERS[pending.issuer] === "required") throw new Error("The issuer did not bind the token to the key of this page, and this API accepts no other tokens.");
  return { token: document.access_token, key: isBound ? key : null, seconds: document.expires_in, user: userOf(document.id_token, pending), operation: pending.operation };
}

// Returns null if the token will be a bearer token.
async function createKeyFor(issuer, metadata) {
  const mode = ISSUERS[issuer];
  const supported = metadata.dpop_signing_alg_values_supported ?? (mode === "required" ? ACCEPTED_ALGORITHMS : []);
  const key = mode === "off" ? null : await createKey(supported);
  if (key === null && mode === "required") throw new Error("This API requires tokens that are bound to a key, and the issuer supports none of its algorithms.");
  return key;
}

// The signature need not be verified, since the ID token comes from the token endpoint (OpenID Connect Core 3.1.3.7).
function userOf(idToken, pending) {
  if (idToken === undefined) return "an unknown user";
  const bytes = Uint8Array.from(atob(idToken.split(".")[1].replaceAll("-", "+").replaceAll("_", "/")), (character) => character.charCodeAt(0));
  const claims = JSON.parse(new TextDecoder().decode(bytes));
  if (claims.iss !== pending.issuer || ![].concat(claims.aud).includes(pending.clientId) || claims.nonce !== pending.nonce) {
    throw new Error("The ID token does not belong to this sign-in.");
  }
  return claims.preferred_username ?? claims.email ?? claims.sub ?? "an unknown user";
}
