// openid-client pushes its authorization request, then signs in with the code; argv: the issuer URL of a server.
// Prints the claims of the ID token that tell who, or the error with which the push ended.
import * as client from "openid-client";

const unprotected = { execute: [client.allowInsecureRequests] };
const web = await client.discovery(new URL(process.argv[2]), "0oaweb00000000000001", "web-secret-for-tests-only-00000000001", undefined, unprotected);
const pkceCodeVerifier = client.randomPKCECodeVerifier();
const expectedState = client.randomState();
const asked = {
  redirect_uri: "http://127.0.0.1:5000/callback",
  scope: "openid email",
  code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
  code_challenge_method: "S256",
  state: expectedState,
};

try {
  const url = await client.buildAuthorizationUrlWithPAR(web, asked);
  const back = await fetch(url, { redirect: "manual" });
  const callback = new URL(back.headers.get("location"));
  const tokens = await client.authorizationCodeGrant(web, callback, { pkceCodeVerifier, expectedState });
  console.log(JSON.stringify({ pushed: url.searchParams.has("request_uri"), email: tokens.claims().email }));
} catch (error) {
  console.log(JSON.stringify({ rejected: error.code, status: error.cause?.status }));
}
