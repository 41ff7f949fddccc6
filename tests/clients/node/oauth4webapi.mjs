// oauth4webapi gets a token for a service, by an assertion; argv: the issuer URL, the client id, its key as a JWK.
import * as oauth from "oauth4webapi";

const [, , url, clientId, text] = process.argv;
const issuer = new URL(url);
const unprotected = { [oauth.allowInsecureRequests]: true };
const as = await oauth.processDiscoveryResponse(
  issuer,
  await oauth.discoveryRequest(issuer, { algorithm: "oidc", ...unprotected }),
);
const jwk = JSON.parse(text);
const algorithm = { name: "ECDSA", namedCurve: "P-256" };
const key = await crypto.subtle.importKey("jwk", jwk, algorithm, false, ["sign"]);
const endpoint = as.token_endpoint;
const authenticate = oauth.PrivateKeyJwt(
  { key, kid: jwk.kid },
  // The audience is the endpoint that is called, as Okta wants it; the library's own choice is the issuer.
  { [oauth.modifyAssertion]: (_, claims) => { claims.aud = endpoint; } },
);
const client = { client_id: clientId };
const answer = await oauth.clientCredentialsGrantRequest(
  as, client, authenticate, new URLSearchParams({ scope: "api:read" }), unprotected,
);
const got = await oauth.processClientCredentialsResponse(as, client, answer);
console.log(JSON.stringify({ scope: got.scope, token_type: got.token_type }));
