"""What introspection tells of each kind of token, and to whom."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fakeissuer.state.seed import SERVICE_APP, SINGLE_PAGE_APP, WEB_APP
from okta_wire.row import Row, Section, oauth_error
from okta_wire.sections.access_token import PASSWORD
from okta_wire.sections.token_success import EVERYWHERE
from okta_wire.world import ALICE, ALICE_ID, API, NOW, Request, World, post, token_request

OF_A_CLIENT = "active scope exp iat sub aud iss jti token_type client_id"
OF_A_USER = "active scope username exp iat sub aud iss jti token_type client_id uid"


def _of(*, revoked: bool = False, **members: Any) -> Callable[[World], Request]:
    def ask(world: World) -> Request:
        token = world.issuer.token(**members)
        if revoked:
            world.issuer.revoke(token)
        return post("introspect", API, token=token)

    return ask


def _hinted(hint: str) -> Callable[[World], Request]:
    return lambda world: post("introspect", API, token=world.user_token(), token_type_hint=hint)


def _of_device(world: World) -> Request:
    asked = token_request("password", **PASSWORD, scope="openid offline_access device_sso")
    return post("introspect", API, token=world.answer_to(asked)["device_secret"])


def _inactive(case: str, ask: Request | Callable[[World], Request]) -> Row:
    return Row(case, ask, 200, "", "active", {}, {"active": False})


SECTION = Section(
    "Introspection",
    (
        Row(
            "an access token of a user",
            _of(sub=ALICE, scp="openid api:read"),
            200,
            "",
            OF_A_USER,
            EVERYWHERE,
            {
                "active": True,
                "scope": "openid api:read",
                "username": ALICE,
                "exp": NOW + 3600,
                "iat": NOW,
                "sub": ALICE,
                "aud": "api://default",
                "iss": "{org}/oauth2/default",
                "jti": "AT.{43 characters}",
                "token_type": "Bearer",
                "client_id": WEB_APP,
                "uid": ALICE_ID,
            },
        ),
        Row(
            "an access token without a user",
            _of(),
            200,
            "",
            OF_A_CLIENT,
            {},
            {"sub": SERVICE_APP, "client_id": SERVICE_APP},
        ),
        Row(
            "with claims named like standard members",
            _of(claims={"active": False, "username": "x", "token_type": "x"}),
            200,
            "",
            OF_A_CLIENT,
            {},
            {"active": True, "username": None, "token_type": "Bearer"},
        ),
        Row("with a custom claim", _of(claims={"team": "red"}), 200, "", f"{OF_A_CLIENT} team", {}, {"team": "red"}),
        Row(
            "at the org, issued with a refresh token",
            lambda world: post(
                "introspect",
                API,
                "org",
                token=world.user_token(server="org", refresh_token=world.refresh_token(server="org")),
            ),
            200,
            "",
            OF_A_USER,
            {},
            {"jti": "AT.{43 characters}.{refresh token id}", "iss": "{org}", "aud": "{org}"},
        ),
        Row(
            "a refresh token",
            lambda world: post("introspect", API, token=world.refresh_token()),
            200,
            "",
            "active token_type scope client_id username exp sub device_id",
            {},
            {"token_type": "Bearer", "username": ALICE, "sub": ALICE, "exp": NOW + 7 * 86_400},
        ),
        Row(
            "a device secret",
            _of_device,
            200,
            "",
            "active token_type scope client_id username exp sub device_id",
            {},
            {"active": True, "scope": "openid offline_access device_sso", "sub": ALICE, "exp": NOW + 7 * 86_400},
        ),
        Row(
            "an ID token",
            _of(kind="id", sub=ALICE, scp="openid"),
            200,
            "",
            "active sub ver iss aud iat exp jti amr idp auth_time",
            {},
            {"active": True, "sub": ALICE_ID, "aud": WEB_APP, "jti": "ID.{43 characters}"},
        ),
        Row(
            "for a public client",
            lambda world: post("introspect", client_id=SINGLE_PAGE_APP, token=world.user_token()),
            200,
            "",
            OF_A_USER,
        ),
        Row(
            "a public client named in the URL",
            lambda world: Request(
                path="/oauth2/default/v1/introspect",
                method="POST",
                query={"client_id": SINGLE_PAGE_APP},
                form={"token": world.user_token()},
            ),
            200,
            "",
            OF_A_USER,
        ),
        *(
            Row(f"with the hint {hint}", _hinted(hint), 200, "", OF_A_USER)
            for hint in ("access_token", "refresh_token", "id_token", "device_secret")
        ),
        _inactive("an expired token", _of(expires_in=-1)),
        _inactive("a revoked token", _of(revoked=True)),
        _inactive("a token of another server", _of(server="partner")),
        _inactive("a forged token", _of(key="unpublished")),
        _inactive("no token at all", post("introspect", API, token="nonsense")),
        oauth_error("the parameter token is missing", post("introspect", API), 400, "invalid_request"),
        oauth_error("no credentials", post("introspect", token="x"), 401, "invalid_client"),
        oauth_error("a wrong secret", post("introspect", f"{API}x", token="x"), 401, "invalid_client"),
    ),
)
