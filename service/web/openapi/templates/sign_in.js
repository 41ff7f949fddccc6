// Authorization code with PKCE: RFC 6749 section 4.1, RFC 7636, RFC 9207, OpenID Connect Core 1.0 section 3.1.
"use strict";

// What must outlive the way to the issuer and back: the state, the nonce and the verifier. Never a code, never a token.
const PENDING = "docs-sign-in";
const ISSUERS = JSON.parse(document.body.dataset.issuers);
const HERE = location.origin + location.pathname;

const base64url = (bytes) => btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
const random = () => base64url(crypto.getRandomValues(new Uint8Array(32)));
const challengeOf = async (verifier) => base64url(new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier))));

async function askJSON(url, options = {}) {
  let answer;
  try {
    answer = await fetch(url, { credentials: "omit", redirect: "error", ...options });
  } catch {
    throw new Error(`${new URL(url).origin} does not answer this page. It is down, it is not the issuer's own address, or it does not let pages of ${location.origin} read its answers.`);
  }
  const document = await answer.json().catch(() => ({}));
  return { ok: answer.ok, status: answer.status, document };
}

// A document of the issuer leads the browser somewhere: `javascript:` must not be where.
function checkEndpoint(name, value) {
  const url = new URL(value);
  const loopback = ["127.0.0.1", "localhost", "[::1]"].includes(url.hostname);
  if (url.protocol !== "https:" && !(url.protocol === "http:" && loopback)) throw new Error(`The issuer's ${name} is no https address.`);
}

async function discover(issuer) {
  if (!ISSUERS.includes(issuer)) throw new Error("This API does not trust that issuer.");
  const { origin, pathname } = new URL(issuer);
  const path = pathname.replace(/\/+$/, "");
  for (const place of [`${origin}${path}/.well-known/openid-configuration`, `${origin}/.well-known/oauth-authorization-server${path}`]) {
    const { ok, document } = await askJSON(place);
    if (!ok) continue;
    // Whoever can answer for one address must not speak for another (RFC 8414 section 3.3).
    if (document.issuer !== issuer) throw new Error("The metadata of the issuer is that of another one.");
    checkEndpoint("authorization endpoint", document.authorization_endpoint);
    checkEndpoint("token endpoint", document.token_endpoint);
    return document;
  }
  throw new Error("The issuer publishes no metadata, so that this page cannot find where to sign in.");
}

async function signIn({ issuer, clientId, scope, ask, where }) {
  if (!crypto.subtle) throw new Error("A browser can sign in over https or on this machine only; paste a token instead.");
  const metadata = await discover(issuer);
  const pending = { issuer, clientId, where, state: random(), nonce: random(), verifier: random() };
  const url = new URL(metadata.authorization_endpoint);
  const parameters = {
    response_type: "code", client_id: clientId, redirect_uri: HERE, scope, state: pending.state,
    code_challenge: await challengeOf(pending.verifier), code_challenge_method: "S256", ...ask,
  };
  if (scope.split(" ").includes("openid")) parameters.nonce = pending.nonce;
  for (const [name, value] of Object.entries(parameters)) if (value) url.searchParams.set(name, value);
  sessionStorage.setItem(PENDING, JSON.stringify(pending));
  location.assign(url);
}

// Returns null where the page was simply opened.
async function finishSignIn() {
  const answer = new URLSearchParams(location.search);
  const kept = sessionStorage.getItem(PENDING);
  sessionStorage.removeItem(PENDING);
  if (!answer.has("code") && !answer.has("error")) return null;
  history.replaceState(null, "", HERE); // before anything is awaited: a code works once, and belongs into no history
  const pending = JSON.parse(kept);
  // Somebody else's code, in a link that was sent to our user, would sign them in as that somebody.
  if (pending === null || answer.getAll("state").join() !== pending.state) throw new Error("Nobody asked for this sign-in here. Authorize again.");
  const metadata = await discover(pending.issuer);
  const iss = answer.get("iss");
  const namesItself = iss !== null || metadata.authorization_response_iss_parameter_supported === true;
  if (namesItself && iss !== pending.issuer) throw new Error("Another issuer answered than the one that was asked.");
  if (answer.has("error")) throw new Error(`The issuer refuses: ${answer.get("error")}. ${answer.get("error_description") ?? ""}`);
  const form = {
    grant_type: "authorization_code", code: answer.get("code"), redirect_uri: HERE,
    client_id: pending.clientId, code_verifier: pending.verifier,
  };
  const { ok, document } = await askJSON(metadata.token_endpoint, { method: "POST", body: new URLSearchParams(form) });
  if (!ok) throw new Error(`The issuer gives no token: ${document.error ?? "without a reason"}. ${document.error_description ?? ""}`);
  if (!/^bearer$/i.test(document.token_type ?? "") || typeof document.access_token !== "string") throw new Error("The issuer gives another kind of token.");
  return { token: document.access_token, seconds: document.expires_in, who: whoIs(document.id_token, pending), where: pending.where };
}

// The ID token came straight from the token endpoint, so that its signature adds nothing (OpenID Connect Core 3.1.3.7).
function whoIs(idToken, pending) {
  if (idToken === undefined) return "somebody";
  const bytes = Uint8Array.from(atob(idToken.split(".")[1].replaceAll("-", "+").replaceAll("_", "/")), (one) => one.charCodeAt(0));
  const claims = JSON.parse(new TextDecoder().decode(bytes));
  if (claims.iss !== pending.issuer || ![].concat(claims.aud).includes(pending.clientId) || claims.nonce !== pending.nonce) {
    throw new Error("The issuer's ID token is not the one that this page asked for.");
  }
  return claims.preferred_username ?? claims.email ?? claims.sub ?? "somebody";
}
