"""The error responses of the endpoints: status, code, format and description of each case.

Statuses, codes and formats are Okta's; the descriptions are our own. RFC 6749 section 5.2 defines the OAuth format,
RFC 6750 section 3 the challenge.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, unique


@unique
class ErrorFormat(Enum):
    """The formats of Okta's error responses."""

    OAUTH = "error, error_description"
    OKTA = "errorCode, errorSummary, errorLink, errorId, errorCauses"
    CHALLENGE = "an empty body and a WWW-Authenticate header"


@dataclass(frozen=True)
class ErrorSpec:
    """HTTP status, code, format, and a description with at most one ``{}`` for a detail."""

    status: int
    code: str
    format: ErrorFormat
    description: str


def _oauth(status: int, code: str, description: str) -> ErrorSpec:
    return ErrorSpec(status, code, ErrorFormat.OAUTH, description)


def _okta(status: int, code: str, description: str) -> ErrorSpec:
    return ErrorSpec(status, code, ErrorFormat.OKTA, description)


def _challenge(status: int, code: str, description: str) -> ErrorSpec:
    return ErrorSpec(status, code, ErrorFormat.CHALLENGE, description)


@unique
class ErrorCase(Enum):
    """Every error response of an endpoint; handlers raise ``OAuthError`` with one of them."""

    # The request itself, in Okta's own format.
    NOT_VALID = _okta(400, "E0000001", "The request did not pass validation: {}")
    BODY_UNREADABLE = _okta(400, "E0000003", "The body of the request could not be read.")
    LOGIN_FAILED = _okta(401, "E0000004", "Signing in failed.")
    FORBIDDEN = _okta(403, "E0000006", "The caller may not do this.")
    NO_SUCH_SERVER = _okta(404, "E0000007", "There is no authorization server called {} here.")
    NO_SUCH_CLIENT = _okta(404, "E0000007", "There is no client called {} here.")
    NO_SUCH_PATH = _okta(404, "E0000008", "Nothing is served at this path.")
    NOT_IMITATED = _okta(404, "E0000008", "The {} is not imitated.")
    INTERNAL = _okta(500, "E0000009", "The server failed while processing the request.")
    UNAVAILABLE = _okta(503, "E0000010", "The service is temporarily unavailable.")
    API_TOKEN_INVALID = _okta(401, "E0000011", "The API token is not valid.")
    FEATURE_OFF = _okta(401, "E0000015", "This feature is not switched on.")
    METADATA_UNREADABLE = _okta(400, "E0000003", "The metadata of a client must be sent as application/json.")
    FORM_EXPECTED = _okta(400, "E0000021", "The body must be sent as application/x-www-form-urlencoded.")
    METHOD_NOT_ALLOWED = _okta(405, "E0000022", "The endpoint does not support this method.")
    TOO_MANY_REQUESTS = _okta(429, "E0000047", "More requests came than the rate limit allows.")

    # The form of a request to an OAuth endpoint.
    PARAMETER_TWICE = _oauth(400, "invalid_request", "The parameter {} came more than once.")
    SECRET_IN_QUERY = _oauth(
        400, "invalid_request", "Client credentials belong in the header or the body, never the URL."
    )
    TOKEN_MISSING = _oauth(400, "invalid_request", "The parameter token is missing.")

    # Client authentication (RFC 6749 section 2.3, RFC 7523 section 2.2).
    UNKNOWN_CLIENT_400 = _okta(400, "invalid_client", "No client is registered under this client_id.")
    NO_CLIENT_CREDENTIALS = _oauth(401, "invalid_client", "The request has no client authentication.")
    UNKNOWN_CLIENT = _okta(401, "invalid_client", "No client is registered under the client_id that was sent.")
    WRONG_SECRET = _oauth(401, "invalid_client", "The client secret is not the one registered for this client.")
    WRONG_METHOD = _oauth(401, "invalid_client", "The client is registered for another way to authenticate.")
    BASIC_MALFORMED = _oauth(401, "invalid_client", "The Basic credentials could not be decoded.")
    TWO_METHODS = _oauth(401, "invalid_request", "The client authenticated in more than one way.")
    ASSERTION_TYPE = _oauth(400, "invalid_request", "The client_assertion_type is not the one for a JWT.")
    ASSERTION_REFUSED = _oauth(401, "invalid_client", "The client assertion was not accepted: {}.")

    # Authorization requests (RFC 6749 section 4.1.2.1, OpenID Connect Core 1.0 section 3.1.2.6); errors in
    # Okta's format are never sent to the redirect URI, which is not validated at that point.
    AUTHORIZE_CLIENT = _okta(400, "invalid_client", "No client is registered under the client_id of this link.")
    REDIRECT_UNREGISTERED = _okta(400, "invalid_request", "The redirect_uri is not one that the client registered.")
    REQUEST_URI_UNKNOWN = _okta(400, "invalid_request_uri", "The request_uri is unknown, expired or spent.")
    PAGE_OUTDATED = _okta(400, "invalid_request", "This page does not belong to a sign-in in progress; start again.")
    STATE_MISSING = _oauth(400, "invalid_request", "The parameter state is missing.")
    NONCE_MISSING = _oauth(400, "invalid_request", "The parameter nonce is missing, and a token by redirect needs it.")
    RESPONSE_TYPE_UNKNOWN = _oauth(400, "unsupported_response_type", "The response_type is not supported.")
    RESPONSE_TYPE_NOT_ALLOWED = _oauth(
        400, "unauthorized_client", "The client is not registered for the grant that this response_type needs."
    )
    RESPONSE_MODE_UNKNOWN = _oauth(400, "unsupported_response_mode", "The response_mode is not supported here.")
    CHALLENGE_METHOD = _oauth(400, "invalid_request", "The code_challenge_method must be S256.")
    CHALLENGE_MALFORMED = _oauth(400, "invalid_request", "The code_challenge is not a SHA-256 in base64url.")
    CHALLENGE_MISSING = _oauth(400, "invalid_request", "A public client must send a code_challenge.")
    PROMPT_UNKNOWN = _oauth(400, "invalid_request", "The prompt is unknown, or combines none with another value.")
    MAX_AGE_MALFORMED = _oauth(400, "invalid_request", "The max_age is not a number of seconds.")
    REQUEST_OBJECT = _okta(400, "invalid_request_object", "The request object was not accepted: {}.")
    LOGIN_REQUIRED = _oauth(400, "login_required", "The user is not signed in, and prompt none forbids a page.")
    USER_DENIED = _oauth(400, "access_denied", "The user denied access.")

    # Backchannel authentication (OpenID Connect CIBA section 13).
    HINT_MISSING = _oauth(400, "invalid_request", "The user must be named by login_hint or id_token_hint.")
    USER_UNKNOWN = _oauth(400, "unknown_user_id", "The hint does not name a registered user.")
    OPENID_MISSING = _oauth(400, "invalid_scope", "The scope openid is missing.")
    BINDING_MESSAGE = _oauth(400, "invalid_binding_message", "The binding_message is not a short plain text.")
    EXPIRY_MALFORMED = _oauth(400, "invalid_request", "The requested_expiry is not 1 to 300 seconds.")

    # Logging out (OpenID Connect RP-Initiated Logout 1.0 section 2).
    LOGOUT_HINT = _okta(400, "invalid_request", "The id_token_hint is missing, or not an ID token of this server.")
    LOGOUT_REDIRECT = _okta(400, "invalid_request", "The post_logout_redirect_uri is not one that is registered.")

    # Registration (RFC 7591 section 3.2.2).
    METADATA_INVALID = _oauth(400, "invalid_client_metadata", "The client cannot be registered: {}")
    CLIENTS_FULL = _oauth(
        400, "invalid_request", "No more clients can be registered here; remove some, or reset the issuer."
    )
    REDIRECT_INVALID = _oauth(400, "invalid_redirect_uri", "A redirect URI is missing or invalid.")

    # Grants (RFC 6749 section 5.2).
    GRANT_MISSING = _oauth(400, "invalid_request", "The parameter grant_type is missing.")
    GRANT_UNKNOWN = _oauth(400, "unsupported_grant_type", "The requested grant type is unknown.")
    GRANT_NOT_ALLOWED = _oauth(400, "unauthorized_client", "The client is not registered for this grant type.")
    CODE_INVALID = _oauth(400, "invalid_grant", "The authorization code is unknown, spent or expired.")
    CODE_FOR_ANOTHER_CLIENT = _oauth(400, "invalid_grant", "The authorization code was issued to another client.")
    CODE_FOR_ANOTHER_REDIRECT = _oauth(400, "invalid_grant", "The redirect_uri is not the one the code was sent to.")
    CODE_FOR_ANOTHER_SERVER = _oauth(400, "invalid_request", "The authorization code comes from another server.")
    VERIFIER_WRONG = _oauth(400, "invalid_grant", "The code_verifier does not match the code_challenge.")
    VERIFIER_MISSING = _oauth(400, "invalid_request", "The code_verifier is missing.")
    VERIFIER_UNEXPECTED = _oauth(400, "invalid_request", "A code_verifier was sent without a code_challenge before it.")
    PKCE_REQUIRED = _oauth(401, "invalid_client", "A public client must use PKCE.")
    REFRESH_TOKEN_INVALID = _oauth(400, "invalid_grant", "The refresh token is unknown, expired or revoked.")
    REFRESH_WIDENED = _oauth(400, "access_denied", "A refresh cannot request more scopes than were granted.")
    PASSWORD_WRONG = _oauth(400, "invalid_grant", "The user name or the password is wrong.")
    SCOPE_UNKNOWN = _oauth(400, "invalid_scope", "A requested scope does not exist at this server.")
    SCOPE_MISSING = _oauth(400, "invalid_scope", "The request has no scope, and this server has no default scope.")
    SCOPE_TOO_LONG = _oauth(400, "invalid_scope", "The parameter scope is longer than 1024 characters.")
    SCOPE_NEEDS_USER = _oauth(400, "invalid_scope", "The scopes of OpenID Connect require a grant with a user.")
    SCOPE_NEEDS_OPENID = _oauth(403, "access_denied", "The scopes of OpenID Connect require the scope openid.")
    NO_POLICY = _oauth(401, "access_denied", "No rule of an access policy matches this request.")
    POLICY_DENIES = _oauth(400, "access_denied", "The access policy denies a requested scope.")
    USER_NOT_ASSIGNED = _oauth(400, "access_denied", "The user is not assigned to this client.")
    CONSENT_REQUIRED = _oauth(400, "consent_required", "Consent is required, and this grant has no page for it.")
    NETWORK_ZONE = _oauth(403, "access_denied", "The request comes from a network zone that is not allowed.")
    POLL_PENDING = _oauth(400, "authorization_pending", "The user has not approved the request yet.")
    POLL_TOO_FAST = _oauth(400, "slow_down", "The client polls more often than its interval allows.")
    POLL_EXPIRED = _oauth(400, "expired_token", "The code that was polled with has expired.")
    POLL_DENIED = _oauth(400, "access_denied", "The user denied the request.")
    POLL_INVALID = _oauth(400, "invalid_grant", "The code that was polled with is unknown.")
    EXCHANGE_INVALID = _oauth(400, "invalid_request", "The token exchange is incomplete: {}.")
    SUBJECT_TOKEN = _oauth(400, "invalid_grant", "The subject_token is invalid, or has no user.")
    DEVICE_SECRET = _oauth(400, "invalid_grant", "The device secret is invalid, or does not belong to the ID token.")
    EXCHANGE_TARGET = _oauth(400, "invalid_target", "The audience of the exchange is not one of this server.")
    ASSERTION_ISSUER = _oauth(401, "invalid_token", "The issuer of the assertion is not trusted.")
    ASSERTION_AUDIENCE = _oauth(400, "invalid_grant", "The assertion is meant for another audience.")
    ASSERTION_REPLAYED = _oauth(400, "invalid_grant", "The assertion was used before.")
    ASSERTION_GRANT = _oauth(400, "invalid_grant", "The assertion was not accepted: {}.")
    DPOP_PROOF = _oauth(400, "invalid_dpop_proof", "The DPoP proof was not accepted: {}.")
    DPOP_NONCE = _oauth(400, "use_dpop_nonce", "The DPoP proof needs the nonce of the header field dpop-nonce.")
    TOO_MANY_GROUPS = _oauth(400, "server_error", "The groups claim would hold more than a hundred groups.")
    HOOK_FAILED = _oauth(400, "server_error", "The inline hook did not respond.")
    USER_RATE = _oauth(429, "invalid_grant", "Too many attempts were made for this user.")

    DPOP_KEY_MALFORMED = _oauth(400, "invalid_request", "The dpop_jkt is not the SHA-256 thumbprint of a key.")

    # UserInfo (OpenID Connect Core 1.0 section 5.3.3, RFC 6750 section 3).
    USERINFO_TOKEN_MISSING = _challenge(401, "invalid_token", "The access token is missing.")
    USERINFO_TOKEN_INVALID = _challenge(401, "invalid_token", "The access token is invalid or expired.")
    USERINFO_SCOPE = _challenge(403, "insufficient_scope", "The access token lacks the scope openid.")
    USERINFO_TOKEN_IN_QUERY = _challenge(400, "invalid_request", "An access token does not belong in the URL.")
    USERINFO_BOUND_TOKEN = _challenge(400, "invalid_request", "The access token is bound to a key; send a DPoP proof.")
    USERINFO_PROOF = _challenge(400, "invalid_dpop_proof", "The DPoP proof was not accepted: {}.")
    USERINFO_TWO_TOKENS = _challenge(400, "invalid_request", "The access token came in more than one place.")


RFC_OVERRIDES: dict[ErrorCase, tuple[int, str]] = {
    ErrorCase.NOT_VALID: (400, "invalid_request"),
    ErrorCase.BODY_UNREADABLE: (400, "invalid_request"),
    ErrorCase.METADATA_UNREADABLE: (400, "invalid_client_metadata"),
    ErrorCase.FORM_EXPECTED: (400, "invalid_request"),
    ErrorCase.LOGIN_FAILED: (403, "access_denied"),
    ErrorCase.FORBIDDEN: (403, "access_denied"),
    ErrorCase.FEATURE_OFF: (403, "access_denied"),
    # RFC 7592 section 2.1: an unknown client gets the response for an invalid token.
    ErrorCase.API_TOKEN_INVALID: (401, "invalid_token"),
    ErrorCase.NO_SUCH_CLIENT: (401, "invalid_token"),
    ErrorCase.NO_SUCH_SERVER: (404, "not_found"),
    ErrorCase.NO_SUCH_PATH: (404, "not_found"),
    ErrorCase.NOT_IMITATED: (404, "not_found"),
    ErrorCase.METHOD_NOT_ALLOWED: (405, "method_not_allowed"),
    ErrorCase.TOO_MANY_REQUESTS: (429, "temporarily_unavailable"),
    ErrorCase.INTERNAL: (500, "server_error"),
    ErrorCase.UNAVAILABLE: (503, "temporarily_unavailable"),
    ErrorCase.TWO_METHODS: (400, "invalid_request"),
    ErrorCase.PKCE_REQUIRED: (400, "invalid_request"),
    ErrorCase.CODE_FOR_ANOTHER_SERVER: (400, "invalid_grant"),
    ErrorCase.REFRESH_WIDENED: (400, "invalid_scope"),
    ErrorCase.SCOPE_NEEDS_OPENID: (400, "invalid_scope"),
    ErrorCase.NO_POLICY: (400, "unauthorized_client"),
    ErrorCase.POLICY_DENIES: (400, "invalid_scope"),
    ErrorCase.USER_NOT_ASSIGNED: (400, "invalid_grant"),
    ErrorCase.SUBJECT_TOKEN: (400, "invalid_request"),  # RFC 8693 section 2.2.2
    ErrorCase.ASSERTION_ISSUER: (400, "invalid_grant"),  # RFC 7523 section 3.1
}
"""Status and code of the strict profile; other cases are the same in both profiles."""
