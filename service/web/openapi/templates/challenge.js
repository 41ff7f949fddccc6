// Parses challenges (RFC 9110 section 11.6.1) and explains them (RFC 6750 section 3.1, RFC 9449 section 7.1, RFC 9470 section 3).
"use strict";

// Returns the parameters of the challenge with the error, which is that of the scheme that was tried, or null without one.
function parseChallenge(field) {
  const challenges = [];
  for (const [, name, quoted, plain] of (field ?? "").matchAll(/([^\s,="]+)(?:=(?:"((?:[^"\\]|\\.)*)"|([^\s,]+)))?/g)) {
    if (quoted === undefined && plain === undefined) challenges.push({ scheme: name.toLowerCase(), parameters: {} });
    else if (challenges.length > 0) challenges.at(-1).parameters[name.toLowerCase()] = plain ?? quoted.replace(/\\(.)/g, "$1");
  }
  const known = challenges.filter(({ scheme }) => ["bearer", "dpop"].includes(scheme));
  return (known.find(({ parameters }) => parameters.error !== undefined) ?? known[0])?.parameters ?? null;
}

// Returns an explanation and the parameters that the next sign-in must request, or null if there is nothing to explain.
function explain(status, challenge, retryAfter) {
  if (status === 503 && retryAfter !== null) {
    return { sentence: `The issuer is unavailable, so the token cannot be validated. Try again in ${retryAfter} s.` };
  }
  if (challenge === null) return null;
  const { error, error_description: description, scope, acr_values, max_age } = challenge;
  const reason = description ? ` ${description}.` : "";
  switch (error) {
    case undefined:
      return { sentence: "The request has no token. Authorize above, or paste a token, and send it again.", request: {} };
    case "invalid_token":
      return { sentence: `The token is rejected.${reason} Authorize again for a new one.`, request: {} };
    case "invalid_dpop_proof":
      return { sentence: `The proof of the key of the token is rejected.${reason}` };
    case "insufficient_scope":
      return scope
        ? { sentence: `The token is valid but does not allow this.${reason} The required scope is ${scope}.`, request: { scope } }
        : { sentence: `The token is valid but does not allow this.${reason} Another scope would not help.` };
    case "insufficient_user_authentication":
      return { sentence: `The user has to sign in again.${reason}`, request: { acr_values, max_age } };
    default:
      return { sentence: `The request is rejected.${reason}` };
  }
}
