"""The documents in which a server describes itself: their members in order, and the lists in them."""

from __future__ import annotations

from okta_wire.row import Row, Section
from okta_wire.world import Request, World

OIDC = "/.well-known/openid-configuration"
OAUTH = "/.well-known/oauth-authorization-server"

OIDC_MEMBERS = """
    issuer authorization_endpoint token_endpoint userinfo_endpoint registration_endpoint jwks_uri
    response_types_supported response_modes_supported grant_types_supported subject_types_supported
    id_token_signing_alg_values_supported scopes_supported token_endpoint_auth_methods_supported claims_supported
    code_challenge_methods_supported introspection_endpoint introspection_endpoint_auth_methods_supported
    revocation_endpoint revocation_endpoint_auth_methods_supported end_session_endpoint request_parameter_supported
    request_object_signing_alg_values_supported device_authorization_endpoint pushed_authorization_request_endpoint
    backchannel_token_delivery_modes_supported backchannel_authentication_request_signing_alg_values_supported
    dpop_signing_alg_values_supported
"""
OAUTH_MEMBERS = OIDC_MEMBERS.replace("userinfo_endpoint", "").replace("id_token_signing_alg_values_supported", "")

METHODS = ["client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt", "none"]
ASYMMETRIC = ["RS256", "RS384", "RS512", "ES256", "ES384", "ES512"]
RESPONSE_TYPES = ["code", "id_token", "code id_token", "code token", "id_token token", "code id_token token"]
GRANT_TYPES = [
    "authorization_code",
    "implicit",
    "refresh_token",
    "password",
    "urn:ietf:params:oauth:grant-type:device_code",
    "urn:openid:params:grant-type:ciba",
]
ENDPOINTS = {
    "authorization_endpoint": "authorize",
    "token_endpoint": "token",
    "userinfo_endpoint": "userinfo",
    "jwks_uri": "keys",
    "introspection_endpoint": "introspect",
    "revocation_endpoint": "revoke",
    "end_session_endpoint": "logout",
    "device_authorization_endpoint": "device/authorize",
    "pushed_authorization_request_endpoint": "par",
}
CLAIMS = """
    iss ver sub aud iat exp jti auth_time amr idp nonce name nickname preferred_username given_name middle_name
    family_name email email_verified profile zoneinfo locale address phone_number picture website gender birthdate
    updated_at at_hash c_hash
"""
CUSTOM, ORG = Request(path=f"/oauth2/default{OIDC}"), Request(path=OIDC)
CUSTOM_SCOPES = ["openid", "profile", "email", "address", "phone", "offline_access", "device_sso"]


def _endpoints(base: str) -> dict[str, str]:
    members = {name: f"{{org}}{base}/v1/{path}" for name, path in ENDPOINTS.items()}
    return members | {"registration_endpoint": "{org}/oauth2/v1/clients"}


def _published(world: World) -> Request:
    world.issuer.put("servers", "default", audience="api://default", published_scopes=["api:read"])
    return CUSTOM


def _lists(case: str, request: Request, members: str, **values: object) -> Row:
    return Row(case, request, 200, "", members, {}, values)


SECTION = Section(
    "Discovery",
    (
        Row(
            "headers of a response",
            CUSTOM,
            200,
            "",
            OIDC_MEMBERS,
            {"Content-Type": "application/json", "x-rate-limit-limit": None, "Etag": None},
        ),
        _lists("endpoints of a custom server", CUSTOM, OIDC_MEMBERS, **_endpoints("/oauth2/default")),
        _lists("endpoints of the org", ORG, OIDC_MEMBERS, **_endpoints("/oauth2")),
        _lists(
            "responses",
            CUSTOM,
            OIDC_MEMBERS,
            response_types_supported=RESPONSE_TYPES,
            response_modes_supported=["query", "fragment", "form_post", "okta_post_message"],
            code_challenge_methods_supported=["S256"],
        ),
        _lists("grants", CUSTOM, OIDC_MEMBERS, grant_types_supported=GRANT_TYPES),
        _lists("grants of the org", ORG, OIDC_MEMBERS, grant_types_supported=[*GRANT_TYPES, "client_credentials"]),
        _lists("scopes", CUSTOM, OIDC_MEMBERS, scopes_supported=CUSTOM_SCOPES),
        Row(
            "a published scope",
            _published,
            200,
            "",
            OIDC_MEMBERS,
            {},
            {"scopes_supported": [*CUSTOM_SCOPES, "api:read"]},
        ),
        _lists(
            "scopes of the org",
            ORG,
            OIDC_MEMBERS,
            scopes_supported=["openid", "profile", "email", "address", "phone", "offline_access", "groups"],
        ),
        _lists(
            "client authentication methods",
            CUSTOM,
            OIDC_MEMBERS,
            token_endpoint_auth_methods_supported=METHODS,
            introspection_endpoint_auth_methods_supported=METHODS,
            revocation_endpoint_auth_methods_supported=METHODS,
        ),
        _lists(
            "algorithms",
            CUSTOM,
            OIDC_MEMBERS,
            id_token_signing_alg_values_supported=["RS256"],
            request_parameter_supported=True,
            request_object_signing_alg_values_supported=["HS256", "HS384", "HS512", *ASYMMETRIC],
            backchannel_token_delivery_modes_supported=["poll"],
            backchannel_authentication_request_signing_alg_values_supported=[
                "HS256",
                "HS384",
                "HS512",
                *ASYMMETRIC,
            ],
            dpop_signing_alg_values_supported=ASYMMETRIC,
        ),
        _lists("claims", CUSTOM, OIDC_MEMBERS, subject_types_supported=["public"], claims_supported=CLAIMS.split()),
        _lists(
            "differences in the OAuth document",
            Request(path=f"/oauth2/default{OAUTH}"),
            OAUTH_MEMBERS,
            response_types_supported=[*RESPONSE_TYPES, "token"],
            grant_types_supported=[*GRANT_TYPES, "client_credentials"],
            claims_supported=["ver", "jti", "iss", "aud", "iat", "exp", "cid", "uid", "scp", "sub"],
        ),
    ),
)
