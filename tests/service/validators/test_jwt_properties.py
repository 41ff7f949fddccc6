"""Any token is either accepted or rejected with an expected error, and any change makes a valid token invalid."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import fakeissuer
from service.authenticator import Authenticator
from service.binding import BindingCheck
from service.caches.deny_list import DenyList
from service.caches.shared import open_cache
from service.caches.tokens import ValidatedTokenCache
from service.clock import SystemClock
from service.errors import InvalidRequest, InvalidToken, IssuerUnavailable
from service.issuers.client import JSONClient
from service.settings.program import Settings
from service.tokens.credentials import Credentials
from service.tokens.principal import Principal
from service.validators import jwt
from service.validators.base import ValidatorContext


@dataclass(frozen=True)
class Rig:
    """An authenticator with its keys cached, for tests without an event loop."""

    issuer: fakeissuer.RunningIssuer
    loop: asyncio.AbstractEventLoop
    authenticator: Authenticator

    def authenticate(self, token: str) -> Principal:
        return self.loop.run_until_complete(self.authenticator.authenticate(Credentials(scheme="Bearer", token=token)))


@pytest.fixture(scope="module")
def rig() -> Iterator[Rig]:
    loop, client, clock = asyncio.new_event_loop(), JSONClient(), SystemClock()
    asyncio.set_event_loop(loop)
    with fakeissuer.running() as issuer:
        cache = open_cache("memory://", clock=clock)
        context = ValidatorContext(
            client=client, clock=clock, token_cache=ValidatedTokenCache(clock=clock), cache=cache
        )
        validator = jwt.build(Settings(issuer=issuer.issuer_url()).trusted_issuers[0], context)
        rig = Rig(
            issuer,
            loop,
            Authenticator(
                [validator],
                token_cache=context.token_cache,
                deny_list=DenyList(cache, clock=clock),
                binding=BindingCheck(cache, clock=clock),
            ),
        )
        assert rig.authenticate(issuer.token(sub="alice@example.com")).subject == "alice@example.com"
        yield rig
        loop.run_until_complete(rig.authenticator.close())
    client.close()
    loop.close()
    asyncio.set_event_loop(None)


_settings = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


@_settings
@given(text=st.text() | st.text(alphabet="eyJhbGciOiJSUzI1NiJ9.-_="))
def test_any_text_is_rejected(rig: Rig, text: str) -> None:
    with pytest.raises((InvalidToken, InvalidRequest)) as exc_info:
        rig.authenticate(text)
    assert len(text) < 12 or text not in str(exc_info.value)


@_settings
@given(data=st.data())
def test_a_valid_token_with_any_bit_flipped_is_rejected(rig: Rig, data: st.DataObject) -> None:
    parts = [bytearray(base64.urlsafe_b64decode(part + "==")) for part in rig.issuer.token().split(".")]
    part = data.draw(st.sampled_from(parts))
    bit = data.draw(st.integers(0, 8 * len(part) - 1))
    part[bit // 8] ^= 1 << bit % 8
    tampered = ".".join(base64.urlsafe_b64encode(octets).rstrip(b"=").decode() for octets in parts)
    with pytest.raises((InvalidToken, IssuerUnavailable)):  # the change may have made an unknown key ID
        rig.authenticate(tampered)


@_settings
@given(data=st.data())
def test_a_valid_token_with_any_character_changed_is_rejected(rig: Rig, data: st.DataObject) -> None:
    token = rig.issuer.token()
    position = data.draw(st.integers(0, len(token) - 1))
    character = data.draw(st.characters(codec="ascii").filter(lambda drawn: drawn != token[position]))
    with pytest.raises((InvalidToken, IssuerUnavailable)):  # the change may have made an unknown key ID
        rig.authenticate(token[:position] + character + token[position + 1 :])


_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
_names = st.sampled_from(
    ["iss", "aud", "exp", "nbf", "iat", "sub", "cid", "client_id", "scp", "scope", "jti", "cnf", "at_hash"]
)


@_settings
@given(claims=st.dictionaries(_names, _values, max_size=4))
def test_any_signed_claims_are_accepted_or_rejected(rig: Rig, claims: dict[str, Any]) -> None:
    try:
        token = rig.issuer.token(claims=claims)
    except fakeissuer.InvalidRequestError:
        return
    try:
        principal = rig.authenticate(token)
    except InvalidToken:
        return
    assert principal.issuer == rig.issuer.issuer_url()
    assert not {"cnf", "at_hash"} & {name for name, value in claims.items() if value is not None}
