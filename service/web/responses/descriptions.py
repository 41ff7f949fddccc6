"""What a client is told about a rejection, one fixed sentence for each reason.

No value from a token, a request or an exception enters a sentence.
"""

from __future__ import annotations

from collections.abc import Mapping

from service.errors import Reason

DESCRIPTIONS: Mapping[Reason, str] = {
    Reason.MISSING_TOKEN: "This resource needs an access token, sent as: Authorization: Bearer TOKEN",
    Reason.SEVERAL_CREDENTIALS: "The request carries more than one credential, send exactly one",
    Reason.MALFORMED_CREDENTIALS: "The credentials are malformed, send one access token as RFC 6750 section 2 says",
    Reason.AMBIGUOUS_URL: "The URL is not in its normal form, so two programs could read it differently",
    Reason.ORIGINAL_REQUEST: "The proxy must report one request, in X-Forwarded-Method and X-Forwarded-Uri",
    Reason.IDENTITY_HEADER: "A header has the name of an identity header in another spelling",
    Reason.TOO_LARGE: "The access token is too large",
    Reason.MALFORMED_TOKEN: "The access token is malformed",
    Reason.UNKNOWN_ISSUER: "The access token is from an issuer that is not accepted here",
    Reason.CRITICAL_HEADER: "The access token requires an extension that is not supported here",
    Reason.UNSUPPORTED_TYPE: "The token is of a type that is not an access token",
    Reason.UNSUPPORTED_ALGORITHM: "The access token is signed with an algorithm that is not accepted here",
    Reason.UNKNOWN_KEY: "The access token is signed with a key that its issuer does not publish",
    Reason.BAD_SIGNATURE: "The signature of the access token is wrong",
    Reason.MISSING_CLAIM: "The access token lacks a required claim",
    Reason.MALFORMED_CLAIM: "The access token has a claim of the wrong form",
    Reason.WRONG_ISSUER: "The access token is from another issuer",
    Reason.WRONG_AUDIENCE: "The access token was issued for another audience",
    Reason.EXPIRED: "The access token has expired",
    Reason.NOT_YET_VALID: "The access token is not valid yet",
    Reason.ISSUED_IN_FUTURE: "The access token was issued in the future",
    Reason.TOO_OLD: "The access token was issued too long ago",
    Reason.CLIENT_NOT_TRUSTED: "The access token was issued to a client that is not accepted here",
    Reason.ID_TOKEN: "This is an ID token, send the access token instead",
    Reason.SENDER_CONSTRAINED: "The access token is bound to a key, and its proof is missing",
    Reason.NOT_BOUND: "This resource needs a token that is bound to a key, sent as: Authorization: DPoP TOKEN",
    Reason.MALFORMED_CERTIFICATE: "The client certificate that a proxy reports is malformed, or there are several",
    Reason.MISSING_PROOF: "The request has no DPoP proof, send one in the header field DPoP",
    Reason.SEVERAL_PROOFS: "The request has more than one DPoP proof, send exactly one",
    Reason.MALFORMED_PROOF: "The DPoP proof is malformed",
    Reason.PROOF_TYPE: "The typ of the DPoP proof must be dpop+jwt",
    Reason.PROOF_ALGORITHM: "The DPoP proof is signed with an algorithm that is not accepted here",
    Reason.PROOF_KEY: "The jwk of the DPoP proof is not a usable public key for its algorithm",
    Reason.PROOF_KEY_MISMATCH: "The DPoP proof is signed with another key than the one to which the token is bound",
    Reason.PROOF_SIGNATURE: "The signature of the DPoP proof is wrong",
    Reason.PROOF_METHOD: "The htm of the DPoP proof is not the method of the request",
    Reason.PROOF_URL: "The htu of the DPoP proof is not the URL of the request",
    Reason.PROOF_TOO_OLD: "The DPoP proof is too old, make a new one for each request",
    Reason.PROOF_IN_FUTURE: "The DPoP proof was issued in the future, check the clock of the client",
    Reason.PROOF_TOKEN: "The ath of the DPoP proof is not the hash of the access token",
    Reason.PROOF_REPLAYED: "The DPoP proof was used before, make a new one for each request",
    Reason.PROOF_NONCE: "The DPoP proof needs the nonce in the header field DPoP-Nonce",
    Reason.INACTIVE: "The access token is not active: it has expired, was revoked, or was never issued",
    Reason.REVOKED: "The access token has been revoked",
    Reason.REJECTED_BY_HANDLER: "The access token is not accepted by this resource",
    Reason.INSUFFICIENT_SCOPE: "The access token lacks a scope that this resource needs",
    Reason.GROUP_REQUIRED: "The user of the access token is not in a group that this resource needs",
    Reason.ROLE_REQUIRED: "The access token has no role that this resource needs",
    Reason.CLAIM_MISMATCH: "The access token lacks a claim value that this resource needs",
    Reason.CLIENT_FORBIDDEN: "The client of the access token may not use this resource",
    Reason.ACCESS_DENIED: "This resource is not for the bearer of the access token",
    Reason.INSUFFICIENT_ACR: "A stronger authentication of the user is required",
    Reason.AUTHENTICATION_TOO_OLD: "A more recent authentication of the user is required",
}
"""A fixed sentence for each reason, in the characters that RFC 6750 section 3 allows for ``error_description``."""
