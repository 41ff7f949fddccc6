// Reads a challenge (RFC 9110 section 11.6.1) and says what to do about it (RFC 6750 section 3.1, RFC 9470 section 3).
"use strict";

function readChallenge(field) {
  const found = /^Bearer(?: +|$)/i.exec(field ?? "");
  if (found === null) return null;
  const parameters = {};
  for (const [, name, quoted, plain] of field.slice(found[0].length).matchAll(/([a-z_]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s,]+))/gi)) {
    parameters[name.toLowerCase()] = quoted === undefined ? plain : quoted.replace(/\\(.)/g, "$1");
  }
  return parameters;
}

// Returns a sentence, and what the next sign-in has to ask for so that the answer is another one.
function explain(status, challenge, retryAfter) {
  if (status === 503 && retryAfter !== null) {
    return { sentence: `The issuer cannot be asked about the token. The token may be good: try again in ${retryAfter} s.` };
  }
  if (challenge === null) return null;
  const { error, error_description: description, scope, acr_values, max_age } = challenge;
  const said = description ? ` ${description}.` : "";
  switch (error) {
    case undefined:
      return { sentence: "No token came with the request. Authorize above, or paste a token, and send it again.", ask: {} };
    case "invalid_token":
      return { sentence: `The token is refused.${said} Authorize again for a new one.`, ask: {} };
    case "insufficient_scope":
      return scope
        ? { sentence: `The token is good, and does not allow this.${said} It takes the scope ${scope}.`, ask: { scope } }
        : { sentence: `The token is good, and does not allow this.${said} No scope would change that.` };
    case "insufficient_user_authentication":
      return { sentence: `The user has to sign in again, in another way.${said}`, ask: { acr_values, max_age } };
    default:
      return { sentence: `The request is refused.${said}` };
  }
}
