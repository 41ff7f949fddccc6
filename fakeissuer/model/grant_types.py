"""Grant types and response types (RFC 6749 section 1.3, RFC 7523, RFC 8628, RFC 8693, OpenID Connect CIBA)."""

from __future__ import annotations

AUTHORIZATION_CODE = "authorization_code"
IMPLICIT = "implicit"
REFRESH_TOKEN = "refresh_token"  # noqa: S105  # the name of a grant
PASSWORD = "password"  # noqa: S105  # as above
CLIENT_CREDENTIALS = "client_credentials"
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"  # noqa: S105  # the name of a grant
DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"
CIBA = "urn:openid:params:grant-type:ciba"

UNSUPPORTED_GRANTS = frozenset(
    {
        "urn:ietf:params:oauth:grant-type:saml2-bearer",
        "urn:okta:params:oauth:grant-type:otp",
        "urn:okta:params:oauth:grant-type:oob",
        "http://auth0.com/oauth/grant-type/mfa-otp",
        "http://auth0.com/oauth/grant-type/mfa-oob",
        "interaction_code",
    }
)
"""Okta's grants that are not imitated: requests get the error for a grant that is disabled for the client."""

GRANT_TYPES = (
    AUTHORIZATION_CODE,
    IMPLICIT,
    REFRESH_TOKEN,
    PASSWORD,
    CLIENT_CREDENTIALS,
    JWT_BEARER,
    TOKEN_EXCHANGE,
    DEVICE_CODE,
    CIBA,
    *sorted(UNSUPPORTED_GRANTS),
)
"""Every grant type that a client may be registered with."""

REDIRECT_GRANTS = frozenset({AUTHORIZATION_CODE, IMPLICIT})
"""Grants that need a redirect URI."""

RESPONSE_TYPES = frozenset(
    map(frozenset, [["code"], ["id_token"], ["token"], ["code", "id_token"], ["code", "token"], ["id_token", "token"]])
) | {frozenset({"code", "id_token", "token"})}
"""The response types (OAuth 2.0 Multiple Response Type Encoding Practices section 5)."""


def required_grants(response_type: frozenset[str]) -> set[str]:
    """Return the grants that a client needs for a response type (RFC 7591 section 2.1)."""
    needed = {AUTHORIZATION_CODE} if "code" in response_type else set()
    return needed | ({IMPLICIT} if response_type - {"code"} else set())
