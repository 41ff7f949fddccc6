"""What is in an ID token: thin beside an access token, whole without one."""

from __future__ import annotations

from fakeissuer.state.seed import WEB_APP
from okta_wire.row import Row, Section
from okta_wire.sections.access_token import PASSWORD
from okta_wire.views import claims, jose_header, redirected_claims
from okta_wire.world import ALICE, ALICE_ID, NOW, Request, World, authorize_request, token_request

THIN = "sub name email ver iss aud iat exp jti amr idp preferred_username auth_time at_hash"
HYBRID = {
    "name": "hybrid",
    "secret": "s",
    "grant_types": ["authorization_code", "implicit"],
    "redirect_uris": ["http://127.0.0.1:*"],
}


def _for_a_code(**parameters: str) -> Row:
    def ask(world: World) -> Request:
        code = world.code(**parameters)
        return token_request("authorization_code", code=code, redirect_uri="http://127.0.0.1:5000/callback")

    nonce = "sub ver iss aud iat exp jti amr idp nonce auth_time"
    acr = " acr" if "acr_values" in parameters else ""
    values = {"nonce": "n-1", "amr": ["mfa", "otp", "pwd"] if acr else ["pwd"]}
    case = "for a code, signed in with two factors" if acr else "for a code"
    return Row(case, ask, 200, "", f"{nonce}{acr} at_hash", {}, values, claims("id_token"))


def with_claims(world: World) -> None:
    """Let the server and alice have a claim of their own each."""
    world.issuer.put("servers", "default", audience="api://default", id_token_claims={"team": "${user.family_name}"})
    world.issuer.put("users", ALICE, given_name="Alice", family_name="Adams", id_token_claims={"floor": 3})


def _with_claims(world: World) -> Request:
    with_claims(world)
    return token_request("password", **PASSWORD, scope="openid groups")


def _with_claims_always(world: World) -> Request:
    with_claims(world)
    world.issuer.put(
        "servers",
        "default",
        audience="api://default",
        id_token_claims={"team": "${user.family_name}"},
        claim_placement={"team": {"id_token": "always"}, "groups": {"id_token": "always", "scopes": ["groups"]}},
    )
    return token_request("password", **PASSWORD, scope="openid groups")


def _hybrid(case: str, members: str, **parameters: str) -> Row:
    def ask(world: World) -> Request:
        world.issuer.put("clients", "hybrid", **HYBRID)
        world.sign_in()
        return authorize_request(client_id="hybrid", nonce="n-1", **parameters)

    return Row(case, ask, 302, "", members, view=redirected_claims)


BY_PASSWORD = token_request("password", **PASSWORD, scope="openid profile email")

SECTION = Section(
    "ID token",
    (
        Row("its header", BY_PASSWORD, 200, "", "kid alg", {}, {"alg": "RS256"}, jose_header("id_token")),
        Row(
            "without profile claims, with an access token",
            BY_PASSWORD,
            200,
            "",
            THIN,
            {},
            {
                "sub": ALICE_ID,
                "name": "Alice Adams",
                "ver": 1,
                "aud": WEB_APP,
                "iat": NOW,
                "exp": NOW + 3600,
                "jti": "ID.{43 characters}",
                "amr": ["pwd"],
                "preferred_username": "alice@example.com",
                "auth_time": NOW,
            },
            claims("id_token"),
        ),
        _for_a_code(),
        _for_a_code(acr_values="urn:okta:loa:2fa:any"),
        Row(
            "with a device secret",
            token_request("password", **PASSWORD, scope="openid offline_access device_sso"),
            200,
            "",
            "sub ver iss aud iat exp jti amr idp auth_time at_hash ds_hash",
            view=claims("id_token"),
        ),
        Row(
            "with claims of the server and of the user",
            _with_claims,
            200,
            "",
            "sub ver iss aud iat exp jti amr idp auth_time at_hash",
            view=claims("id_token"),
        ),
        Row(
            "with claims that are always in ID tokens",
            _with_claims_always,
            200,
            "",
            "sub ver iss aud iat exp jti amr idp auth_time at_hash groups team",
            {},
            {"team": "Adams", "groups": ["Everyone"]},
            claims("id_token"),
        ),
        _hybrid(
            "with profile claims, without an access token",
            "sub name email ver iss aud iat exp jti amr idp nonce preferred_username auth_time locale given_name"
            " family_name zoneinfo updated_at email_verified",
            response_type="id_token",
            scope="openid profile email",
        ),
        _hybrid(
            "with groups, phone and address, without an access token",
            "sub ver iss aud iat exp jti amr idp nonce auth_time phone_number address groups",
            response_type="id_token",
            scope="openid phone address groups",
        ),
        _hybrid(
            "with a code and an access token",
            "sub ver iss aud iat exp jti amr idp nonce auth_time at_hash c_hash",
            response_type="code id_token token",
        ),
        _hybrid(
            "with a code",
            "sub ver iss aud iat exp jti amr idp nonce auth_time c_hash",
            response_type="code id_token",
            scope="openid groups",
        ),
    ),
)
