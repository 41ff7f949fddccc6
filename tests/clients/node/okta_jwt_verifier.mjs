// Okta's own verifier judges tokens; argv: the issuer URL, a good token, a bad one.
import OktaJwtVerifier from "@okta/jwt-verifier";

const [, , issuer, ...tokens] = process.argv;
const verifier = new OktaJwtVerifier({ issuer });
const verdicts = [];
for (const token of tokens) {
  verdicts.push(await verifier.verifyAccessToken(token, "api://default").then((jwt) => jwt.claims.sub, () => "refused"));
}
console.log(JSON.stringify(verdicts));
