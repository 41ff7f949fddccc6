"""Whatever is sent is accepted or refused, and nothing else happens; whatever is changed in a good token spoils it."""

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
from service.caches.deny_list import DenyList
from service.caches.shared import open_cache
from service.caches.tokens import ValidatedTokenCache
from service.clock import SystemClock
from service.errors import InvalidRequest, InvalidToken
from service.issuers.client import JSONClient
from service.settings.program import Settings
from service.tokens.credentials import Credentials
from service.tokens.principal import Principal
from service.validators import jwt
from service.validators.base import ValidatorContext


@dataclass(frozen=True)
class Court:
    """A validator with its keys at hand, to be asked without a loop of the test's own."""

    issuer: fakeissuer.RunningIssuer
    loop: asyncio.AbstractEventLoop
    authenticator: Authenticator

    def validate_uncached(self, token: str) -> Principal:
        return self.loop.run_until_complete(self.authenticator.authenticate(Credentials(scheme="Bearer", token=token)))


@pytest.fixture(scope="module")
def court() -> Iterator[Court]:
    loop, client, clock = asyncio.new_event_loop(), JSONClient(), SystemClock()
    asyncio.set_event_loop(loop)
    with fakeissuer.running() as issuer:
        cache = open_cache("memory://", clock=clock)
        context = ValidatorContext(
            client=client, clock=clock, token_cache=ValidatedTokenCache(clock=clock), cache=cache
        )
        validator = jwt.build(Settings(issuer=issuer.issuer_url()).trusted_issuers[0], context)
        court = Court(
            issuer,
            loop,
            Authenticator([validator], token_cache=context.token_cache, deny_list=DenyList(cache, clock=clock)),
        )
        assert court.validate_uncached(issuer.token(sub="alice@example.com")).subject == "alice@example.com"
        yield court
        loop.run_until_complete(court.authenticator.close())
    client.close()
    loop.close()
    asyncio.set_event_loop(None)


shared = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


@shared
@given(text=st.text() | st.text(alphabet="eyJhbGciOiJSUzI1NiJ9.-_="))
def test_any_text_is_refused(court: Court, text: str) -> None:
    with pytest.raises((InvalidToken, InvalidRequest)) as refusal:
        court.validate_uncached(text)
    assert len(text) < 12 or text not in str(refusal.value)


@shared
@given(data=st.data())
def test_a_good_token_with_any_bit_flipped_is_refused(court: Court, data: st.DataObject) -> None:
    parts = [bytearray(base64.urlsafe_b64decode(part + "==")) for part in court.issuer.token().split(".")]
    part = data.draw(st.sampled_from(parts))
    bit = data.draw(st.integers(0, 8 * len(part) - 1))
    part[bit // 8] ^= 1 << bit % 8
    spoilt = ".".join(base64.urlsafe_b64encode(octets).rstrip(b"=").decode() for octets in parts)
    with pytest.raises(InvalidToken):
        court.validate_uncached(spoilt)


@shared
@given(data=st.data())
def test_a_good_token_with_any_character_changed_is_refused(court: Court, data: st.DataObject) -> None:
    token = court.issuer.token()
    position = data.draw(st.integers(0, len(token) - 1))
    character = data.draw(st.characters(codec="ascii").filter(lambda drawn: drawn != token[position]))
    with pytest.raises(InvalidToken):
        court.validate_uncached(token[:position] + character + token[position + 1 :])


_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
_names = st.sampled_from(
    ["iss", "aud", "exp", "nbf", "iat", "sub", "cid", "client_id", "scp", "scope", "jti", "cnf", "at_hash"]
)


@shared
@given(claims=st.dictionaries(_names, _values, max_size=4))
def test_whatever_the_issuer_signs_is_accepted_or_refused_and_never_breaks(
    court: Court, claims: dict[str, Any]
) -> None:
    try:
        token = court.issuer.token(claims=claims)
    except fakeissuer.InvalidRequestError:
        return
    try:
        principal = court.validate_uncached(token)
    except InvalidToken:
        return
    assert principal.issuer == court.issuer.issuer_url()
    assert not {"cnf", "at_hash"} & {name for name, value in claims.items() if value is not None}
