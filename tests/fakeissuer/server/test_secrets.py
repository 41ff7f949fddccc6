"""Representations in logs and failing tests never contain a secret, a password or a token."""

from __future__ import annotations

import pytest

from fakeissuer.control.access import ControlGuard
from fakeissuer.control.bad_tokens.token_builder import BadToken
from fakeissuer.control.good_tokens import GoodToken
from fakeissuer.control.handlers.tokens import RevokeRequest
from fakeissuer.handlers.okta_api.authn import Primary
from fakeissuer.model.clients import Client
from fakeissuer.model.servers import Server
from fakeissuer.model.users import User
from fakeissuer.oauth.authorization.flow import PendingInteraction
from fakeissuer.oauth.authorization.request import AuthorizationRequest, ResponseTarget
from fakeissuer.responses.reply import Reply
from fakeissuer.server.config_file import Config
from fakeissuer.state.sessions import Session

HIDDEN = "hidden-from-everybody"

CLIENT = Client(id="app", name="app", secret=HIDDEN)
SERVER = Server(id="default", audience="a")
REQUEST = AuthorizationRequest(
    server=SERVER,
    target=ResponseTarget(
        issuer="x",
        client=CLIENT,
        redirect_uri="http://a.test",
        response_types=frozenset({"code"}),
        response_mode="",
        state=None,
    ),
    scopes=("openid",),
    nonce=None,
    challenge=None,
    key_thumbprint=None,
    prompt=frozenset(),
    max_age_s=None,
    login_hint="",
    acr_values=(),
    request_uri=None,
    session_token=HIDDEN,
)
SESSION = Session()
SESSION.cookie = SESSION.csrf = HIDDEN

HOLDERS = [
    CLIENT,
    User(login="a", password=HIDDEN),
    Primary(username="a", password=HIDDEN),
    Config(resources={"clients": {"app": {"secret": HIDDEN}}}),
    REQUEST,
    PendingInteraction(request=REQUEST),
    SESSION,
    BadToken(name="a", token=HIDDEN, breaks="b", status=401, error="invalid_token"),
    GoodToken(name="a", token=HIDDEN, resembles="b"),
    RevokeRequest(token=HIDDEN),
    ControlGuard(frozenset(), token=HIDDEN),
    Reply(302, HIDDEN.encode(), {"Location": f"/cb?code={HIDDEN}", "Set-Cookie": HIDDEN}),
]


@pytest.mark.parametrize("holder", HOLDERS, ids=lambda holder: type(holder).__name__)
def test_a_repr_does_not_contain_secrets(holder: object) -> None:
    assert HIDDEN not in repr(holder)
