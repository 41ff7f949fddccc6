"""What shows itself in a log or a failing test: never a secret, a password or a token."""

from __future__ import annotations

import pytest

from fakeissuer.authorization.flow import Waiting
from fakeissuer.authorization.request import AuthorizationRequest, Target
from fakeissuer.bad_tokens.bench import BadToken
from fakeissuer.config_file import Config
from fakeissuer.control_guard import ControlGuard
from fakeissuer.entries import Client, Server, User
from fakeissuer.handlers.authn import Primary
from fakeissuer.handlers.control.tokens import RevokeRequest
from fakeissuer.reply import Reply
from fakeissuer.sessions import Session

HIDDEN = "hidden-from-everybody"

CLIENT = Client(id="app", name="app", secret=HIDDEN)
SERVER = Server(id="default", audience="a")
REQUEST = AuthorizationRequest(
    server=SERVER,
    target=Target(
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
    Config(entries={"clients": {"app": {"secret": HIDDEN}}}),
    REQUEST,
    Waiting(request=REQUEST),
    SESSION,
    BadToken(name="a", token=HIDDEN, breaks="b", status=401, error="invalid_token"),
    RevokeRequest(token=HIDDEN),
    ControlGuard(frozenset(), token=HIDDEN),
    Reply(302, HIDDEN.encode(), {"Location": f"/cb?code={HIDDEN}", "Set-Cookie": HIDDEN}),
]


@pytest.mark.parametrize("holder", HOLDERS, ids=lambda holder: type(holder).__name__)
def test_what_holds_a_secret_does_not_show_it(holder: object) -> None:
    assert HIDDEN not in repr(holder)
