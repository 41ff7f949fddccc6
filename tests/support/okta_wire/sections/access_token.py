"""What is in an access token: the members of its header and its claims, in order."""

from __future__ import annotations

from scripted_browser import CALLBACK

from fakeissuer.state.seed import SERVICE_APP, WEB_APP
from okta_wire.row import Row, Section
from okta_wire.views import claims, jose_header
from okta_wire.world import ALICE, ALICE_ID, NOW, SERVICE, Request, World, token_request

OWN = token_request("client_credentials", SERVICE)
PASSWORD = {"username": ALICE, "password": "password"}
OF_A_CLIENT = "ver jti iss aud iat exp cid scp sub"
OF_A_USER = "ver jti iss aud iat exp cid uid scp auth_time sub"
CLAIMS = claims("access_token")
TWO_FACTORS = "urn:okta:loa:2fa:any"


def _of_alice(server: str = "default", **form: str) -> Request:
    return token_request("password", server=server, **PASSWORD, **form)


def _with_two_factors(world: World) -> Request:
    code = world.code(acr_values=TWO_FACTORS)
    return token_request("authorization_code", code=code, redirect_uri=CALLBACK)


def _with_claims(world: World) -> Request:
    world.issuer.put("servers", "default", audience="api://default", claims={"team": "red"})
    return OWN


SECTION = Section(
    "Access token",
    (
        Row(
            "its header",
            OWN,
            200,
            "",
            "kid alg",
            {},
            {"kid": "{43 characters}", "alg": "RS256", "typ": None},
            jose_header("access_token"),
        ),
        Row(
            "of a client's own token",
            OWN,
            200,
            "",
            OF_A_CLIENT,
            {},
            {
                "ver": 1,
                "jti": "AT.{43 characters}",
                "iss": "{org}/oauth2/default",
                "aud": "api://default",
                "iat": NOW,
                "exp": NOW + 3600,
                "cid": SERVICE_APP,
                "scp": ["api:read"],
                "sub": SERVICE_APP,
            },
            CLAIMS,
        ),
        Row(
            "of a user",
            _of_alice(scope="openid api:read"),
            200,
            "",
            OF_A_USER,
            {},
            {
                "cid": WEB_APP,
                "uid": ALICE_ID,
                "scp": ["openid", "api:read"],
                "auth_time": NOW,
                "sub": ALICE,
            },
            CLAIMS,
        ),
        Row(
            "with a refresh token",
            _of_alice(scope="openid offline_access"),
            200,
            "",
            OF_A_USER,
            {},
            {"jti": "AT.{43 characters}.{refresh token id}"},
            CLAIMS,
        ),
        Row(
            "with groups",
            _of_alice(scope="openid groups"),
            200,
            "",
            f"{OF_A_USER} groups",
            {},
            {"groups": ["Everyone", "Admins"]},
            CLAIMS,
        ),
        Row(
            "signed in with the requested acr_values",
            _with_two_factors,
            200,
            "",
            f"{OF_A_USER} acr",
            {},
            {"acr": TWO_FACTORS},
            CLAIMS,
        ),
        Row("with a claim of the server", _with_claims, 200, "", f"{OF_A_CLIENT} team", {}, {"team": "red"}, CLAIMS),
        Row(
            "its header at the org",
            _of_alice("org", scope="openid"),
            200,
            "",
            "kid alg typ",
            {},
            {"typ": "application/okta-internal-at+jwt"},
            jose_header("access_token"),
        ),
        Row(
            "at the org",
            _of_alice("org", scope="openid"),
            200,
            "",
            "ver jti iss aud sub iat exp cid uid scp auth_time",
            {},
            {"iss": "{org}", "aud": "{org}", "sub": ALICE},
            CLAIMS,
        ),
    ),
)
