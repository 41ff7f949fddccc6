// openid-client signs in with a code, then with a device; argv: the issuer URL of a server.
import * as client from "openid-client";

const issuer = new URL(process.argv[2]);
const unprotected = { execute: [client.allowInsecureRequests] };
const redirect_uri = "http://127.0.0.1:5000/callback";

const web = await client.discovery(issuer, "0oaweb00000000000001", "web-secret-for-tests-only-00000000001", undefined, unprotected);
const verifier = client.randomPKCECodeVerifier();
const [state, nonce] = [client.randomState(), client.randomNonce()];
const url = client.buildAuthorizationUrl(web, {
  redirect_uri,
  scope: "openid email offline_access",
  code_challenge: await client.calculatePKCECodeChallenge(verifier),
  code_challenge_method: "S256",
  state,
  nonce,
});
const back = await fetch(url, { redirect: "manual" });
const tokens = await client.authorizationCodeGrant(web, new URL(back.headers.get("location")), {
  pkceCodeVerifier: verifier,
  expectedState: state,
  expectedNonce: nonce,
  idTokenExpected: true,
});
const userinfo = await client.fetchUserInfo(web, tokens.access_token, tokens.claims().sub);
const renewed = await client.refreshTokenGrant(web, tokens.refresh_token);
const before = await client.tokenIntrospection(web, renewed.access_token);
await client.tokenRevocation(web, renewed.access_token);
const after = await client.tokenIntrospection(web, renewed.access_token);

const tv = await client.discovery(issuer, "0oadevice00000000001", undefined, client.None(), unprotected);
const device = await client.initiateDeviceAuthorization(tv, { scope: "openid" });
await fetch(device.verification_uri_complete);
const watched = await client.pollDeviceAuthorizationGrant(tv, device);

console.log(JSON.stringify({
  email: userinfo.email,
  active: [before.active, after.active],
  same: watched.claims().sub === tokens.claims().sub,
}));
