"""UserInfo: the claims in order, and the challenges."""

from __future__ import annotations

from collections.abc import Callable

from okta_wire.row import OAUTH_ERROR, Row, Section
from okta_wire.sections.id_token import with_claims
from okta_wire.sections.token_success import LIMIT_LEFT
from okta_wire.world import ALICE, ALICE_ID, Request, World, at

Prepare = Callable[[World], Request]
ALL = "sub name locale email preferred_username given_name family_name zoneinfo updated_at email_verified"


def _with(token: Callable[[World], str], scheme: str = "Bearer") -> Prepare:
    return lambda world: Request(path=at("userinfo"), headers={"Authorization": f"{scheme} {token(world)}"})


def _challenged(case: str, ask: Request | Prepare, status: int, error: str, sentence: str) -> Row:
    challenge = (
        'Bearer authorization_uri="{org}/oauth2/default/v1/authorize", realm="{org}", scope="openid", '
        f'error="{error}", error_description="{sentence}", resource="/oauth2/default/v1/userinfo"'
    )
    headers = {
        "Content-Length": "0",
        "WWW-Authenticate": challenge,
        "Access-Control-Expose-Headers": "WWW-Authenticate",
    }
    return Row(case, ask, status, error, "", headers)


def _revoked(world: World) -> str:
    token = world.user_token()
    world.issuer.revoke(token)
    return token


def _of_many_groups(world: World) -> Request:
    token = world.user_token("openid groups")
    world.issuer.put("users", ALICE, groups=[f"group {number}" for number in range(101)])
    return _with(lambda _: token)(world)


def _of_claims(world: World) -> Request:
    with_claims(world)
    return _with(lambda world: world.user_token("openid groups"))(world)


MISSING = (401, "invalid_token", "The access token is missing.")
BAD = (401, "invalid_token", "The access token is invalid or expired.")
SMALL = (403, "insufficient_scope", "The access token lacks the scope openid.")

SECTION = Section(
    "UserInfo",
    (
        Row(
            "with profile and email",
            _with(lambda world: world.user_token("openid profile email")),
            200,
            "",
            ALL,
            {"Content-Type": "application/json"},
            {"sub": ALICE_ID, "name": "Alice Adams", "updated_at": 1_700_000_000, "email_verified": True},
        ),
        Row("the reported limit", _with(lambda world: world.user_token()), 200, "", "sub", LIMIT_LEFT),
        Row("with groups", _with(lambda world: world.user_token("openid groups")), 200, "", "sub groups"),
        Row(
            "with phone and address",
            _with(lambda world: world.user_token("openid phone address")),
            200,
            "",
            "sub phone_number address",
            {},
            {"phone_number": "+1 555 0100"},
        ),
        Row("with a hundred and one groups", _of_many_groups, 400, "server_error", OAUTH_ERROR),
        Row("with only openid", _with(lambda world: world.user_token("openid")), 200, "", "sub"),
        Row(
            "with claims of the server and of the user",
            _of_claims,
            200,
            "",
            "sub groups team floor",
            {},
            {"team": "Adams", "floor": 3},
        ),
        Row(
            "with the token in the body of a POST",
            lambda world: Request(path=at("userinfo"), method="POST", form={"access_token": world.user_token()}),
            200,
            "",
            "sub",
        ),
        _challenged("without a token", Request(path=at("userinfo")), *MISSING),
        _challenged("with an invalid value", _with(lambda _: "nonsense"), *BAD),
        _challenged("with another scheme", _with(lambda _: "x", "Basic"), *MISSING),
        _challenged("with an expired token", _with(lambda world: world.user_token(expires_in=-1)), *BAD),
        _challenged("with a revoked token", _with(_revoked), *BAD),
        _challenged("with a token of another server", _with(lambda world: world.user_token(server="partner")), *BAD),
        _challenged("with an ID token", _with(lambda world: world.user_token(kind="id")), *BAD),
        _challenged("with a token without openid", _with(lambda world: world.user_token("profile")), *SMALL),
        _challenged("with a client's own token", _with(lambda world: world.issuer.token()), *SMALL),
        _challenged(
            "with the token in the URL",
            lambda world: Request(path=at("userinfo"), query={"access_token": world.user_token()}),
            400,
            "invalid_request",
            "An access token does not belong in the URL.",
        ),
        _challenged(
            "with the token in header and body",
            lambda world: Request(
                path=at("userinfo"),
                method="POST",
                headers={"Authorization": f"Bearer {world.user_token()}"},
                form={"access_token": world.user_token()},
            ),
            400,
            "invalid_request",
            "The access token came in more than one place.",
        ),
    ),
)
