"""What the token endpoint gives: the members of each grant's answer, and the headers of all answers."""

from __future__ import annotations

from scripted_browser import CALLBACK, CHALLENGE, SPA, VERIFIER, forms

from okta_wire.row import Row, Section
from okta_wire.sections.access_token import PASSWORD
from okta_wire.world import ALICE, NOW, SERVICE, Request, World, post, token_request

DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"
DEVICE_APP = "0oadevice00000000001"

OWN = "token_type expires_in access_token scope"
WITH_ID = f"{OWN} id_token"
WITH_ALL = f"{OWN} refresh_token id_token"

NO_STORE_HEADERS = {
    "Content-Type": "application/json",
    "Cache-Control": "no-cache, no-store",
    "Pragma": "no-cache",
    "Expires": "0",
}
LIMIT_LEFT = {
    "x-rate-limit-limit": "600",
    "x-rate-limit-remaining": "599",
    "x-rate-limit-reset": str(NOW + 60),
}
EVERYWHERE = {
    **NO_STORE_HEADERS,
    **LIMIT_LEFT,
    "Server": "nginx",
    "x-okta-request-id": "{32 hex digits}",
    "x-content-type-options": "nosniff",
    "x-xss-protection": "0",
    "p3p": 'CP="HONK"',
    "referrer-policy": "strict-origin-when-cross-origin",
    "accept-ch": "Sec-CH-UA-Platform-Version",
    "WWW-Authenticate": None,
}
ALL_SCOPES = "openid offline_access api:read"


def spa_code(world: World) -> str:
    """A code of the single-page app."""
    asked = {"code_challenge": CHALLENGE, "code_challenge_method": "S256", "scope": ALL_SCOPES}
    return world.code(client_id=SPA, **asked)


def _code(world: World) -> Request:
    return token_request("authorization_code", code=world.code(scope=ALL_SCOPES), redirect_uri=CALLBACK)


def _code_of_spa(world: World) -> Request:
    form = {"client_id": SPA, "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
    return token_request("authorization_code", None, code=spa_code(world), **form)


def device(world: World) -> dict[str, str]:
    """What a device is told when it starts."""
    return world.answer_to(post("device/authorize", client_id=DEVICE_APP, scope="openid api:read"))


def _device(world: World) -> Request:
    started = device(world)
    world.sign_in()
    action, hidden = forms(world.browser.get(started["verification_uri_complete"]))[0]
    action, hidden = forms(world.browser.post(action, hidden))[0]
    world.browser.post(action, {**hidden, "decision": "allow"})
    return token_request(DEVICE, None, client_id=DEVICE_APP, device_code=started["device_code"])


def exchange(world: World, **form: str) -> Request:
    """A service acts for alice."""
    good = {"subject_token_type": ACCESS_TOKEN, "audience": "api://default", "scope": "api:read"}
    return token_request(EXCHANGE, SERVICE, **{"subject_token": world.user_token(), **good, **form})


def bearer(world: World, scope: str = "api:read", **claims: object) -> Request:
    """An assertion of another server of the org, which vouches for alice."""
    world.issuer.put("clients", "app", name="app", secret="s", grant_types=[BEARER])
    aud = world.issuer.issuer_url()
    assertion = world.issuer.token(server="partner", sub=ALICE, aud=aud, claims=claims)
    return token_request(BEARER, "app:s", assertion=assertion, scope=scope)


def device_sso(world: World, **form: str) -> Request:
    """Another app of the device signs alice in."""
    grants = {"name": "app", "secret": "s", "grant_types": [EXCHANGE, "refresh_token"]}
    world.issuer.put("clients", "app", **grants)
    first = world.answer_to(token_request("password", **PASSWORD, scope="openid offline_access device_sso"))
    good = {
        "subject_token": first["id_token"],
        "subject_token_type": "urn:ietf:params:oauth:token-type:id_token",
        "actor_token": first["device_secret"],
        "actor_token_type": "urn:x-oath:params:oauth:token-type:device-secret",
        "audience": world.issuer.issuer_url(),
        "scope": "openid offline_access",
    }
    return token_request(EXCHANGE, "app:s", **{**good, **form})


SECTION = Section(
    "Token endpoint, tokens",
    (
        Row(
            "headers of every response, here with tokens",
            token_request("client_credentials", SERVICE),
            200,
            "",
            OWN,
            {**EVERYWHERE, "X-Robots-Tag": "noindex,nofollow"},
            {"token_type": "Bearer", "expires_in": 3600, "scope": "api:read", "access_token": "{jwt}"},
        ),
        Row(
            "with an error",
            token_request("client_credentials", "0oaservice0000000001:wrong"),
            401,
            "invalid_client",
            "error error_description",
            {**EVERYWHERE, "X-Robots-Tag": None},
        ),
        Row(
            "authorization_code",
            _code,
            200,
            "",
            WITH_ALL,
            {},
            {"scope": ALL_SCOPES, "refresh_token": "{43 characters}", "id_token": "{jwt}"},
        ),
        Row("authorization_code with PKCE", _code_of_spa, 200, "", WITH_ALL),
        Row(
            "refresh_token of a confidential client",
            lambda world: token_request("refresh_token", refresh_token=world.refresh_token()),
            200,
            "",
            WITH_ALL,
        ),
        Row("password", token_request("password", **PASSWORD, scope="openid"), 200, "", WITH_ID),
        Row("password without openid", token_request("password", **PASSWORD, scope="api:read"), 200, "", OWN),
        Row("device code", _device, 200, "", WITH_ID),
        Row("token exchange", exchange, 200, "", f"{OWN} issued_token_type", {}, {"issued_token_type": ACCESS_TOKEN}),
        Row(
            "a secret for the device",
            token_request("password", **PASSWORD, scope="openid offline_access device_sso"),
            200,
            "",
            f"{WITH_ALL} device_secret",
            {},
            {"device_secret": "{43 characters}"},
        ),
        Row("another app of the device", device_sso, 200, "", f"{WITH_ALL} issued_token_type"),
        Row("jwt-bearer", bearer, 200, "", OWN),
        Row(
            "the secret in the body",
            post("token", grant_type="client_credentials", client_id=SERVICE[:20], client_secret=SERVICE[21:]),
            200,
            "",
            OWN,
        ),
    ),
)
