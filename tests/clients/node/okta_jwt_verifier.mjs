// Okta's own verifier validates tokens; argv: the issuer URL, a good token, a bad one.
import OktaJwtVerifier from "@okta/jwt-verifier";

const [, , issuer, ...tokens] = process.argv;
const verifier = new OktaJwtVerifier({ issuer });
const results = [];
for (const token of tokens) {
  results.push(await verifier.verifyAccessToken(token, "api://default").then((jwt) => jwt.claims.sub, () => "rejected"));
}
console.log(JSON.stringify(results));
