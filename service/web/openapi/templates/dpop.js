// Proofs of possession of a key that cannot leave this page (RFC 9449).
"use strict";

const ACCEPTED_ALGORITHMS = JSON.parse(document.body.dataset.proofAlgorithms);
const RSA = { modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]), hash: "SHA-256" };
// In the order of preference, with the parameters of WebCrypto for a key and for a signature.
const ALGORITHMS = {
  ES256: [{ name: "ECDSA", namedCurve: "P-256" }, { name: "ECDSA", hash: "SHA-256" }],
  ES384: [{ name: "ECDSA", namedCurve: "P-384" }, { name: "ECDSA", hash: "SHA-384" }],
  ES512: [{ name: "ECDSA", namedCurve: "P-521" }, { name: "ECDSA", hash: "SHA-512" }],
  PS256: [{ name: "RSA-PSS", ...RSA }, { name: "RSA-PSS", saltLength: 32 }],
  RS256: [{ name: "RSASSA-PKCS1-v1_5", ...RSA }, { name: "RSASSA-PKCS1-v1_5" }],
  EdDSA: [{ name: "Ed25519" }, { name: "Ed25519" }],
  Ed25519: [{ name: "Ed25519" }, { name: "Ed25519" }],
};

const base64url = (bytes) => btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
const random = () => base64url(crypto.getRandomValues(new Uint8Array(32)));
const hashOf = async (text) => base64url(new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text))));

// Returns null if the API and the issuer have no algorithm in common.
async function createKey(algorithmsOfIssuer) {
  const alg = Object.keys(ALGORITHMS).find((name) => ACCEPTED_ALGORITHMS.includes(name) && algorithmsOfIssuer.includes(name));
  if (alg === undefined) return null;
  // Not extractable: an injected script could use the key only while this page is open. The public key always is.
  const { publicKey, privateKey } = await crypto.subtle.generateKey(ALGORITHMS[alg][0], false, ["sign", "verify"]);
  const { kty, crv, x, y, n, e } = await crypto.subtle.exportKey("jwk", publicKey);
  return { alg, privateKey, jwk: { kty, crv, x, y, n, e } };
}

async function createProof(key, method, url, { token, nonce }) {
  const { origin, pathname } = new URL(url);
  const claims = { jti: random(), htm: method, htu: origin + pathname, iat: Math.floor(Date.now() / 1000), nonce };
  if (token !== undefined) claims.ath = await hashOf(token);
  const encode = (members) => base64url(new TextEncoder().encode(JSON.stringify(members)));
  const input = `${encode({ typ: "dpop+jwt", alg: key.alg, jwk: key.jwk })}.${encode(claims)}`;
  const signature = await crypto.subtle.sign(ALGORITHMS[key.alg][1], key.privateKey, new TextEncoder().encode(input));
  return `${input}.${base64url(new Uint8Array(signature))}`;
}

// The issuer names the error in the body (RFC 9449 section 8), and the API in its challenge (section 9).
async function requiresNonce(response) {
  if (response.status === 401) return parseChallenge(response.headers.get("WWW-Authenticate"))?.error === "use_dpop_nonce";
  if (response.status !== 400) return false;
  const { error } = await response.clone().json().catch(() => ({}));
  return error === "use_dpop_nonce";
}

// Sends a request with a proof, and once more if the server requires another nonce.
async function fetchWithProof(key, url, options, { token, nonces, place }) {
  const attempt = async () => {
    const proof = await createProof(key, options.method, url, { token, nonce: nonces.get(place) });
    const response = await fetch(url, { ...options, headers: { ...options.headers, DPoP: proof } });
    if (response.headers.has("DPoP-Nonce")) nonces.set(place, response.headers.get("DPoP-Nonce"));
    return response;
  };
  const response = await attempt();
  return (await requiresNonce(response)) && response.headers.has("DPoP-Nonce") ? attempt() : response;
}
