from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest
from tornado.ioloop import IOLoop

from fakeissuer import RunningIssuer
from service.caches.shared import open_cache
from service.caches.tokens import ValidatedTokenCache
from service.clock import SystemClock
from service.errors import InvalidToken, Reason
from service.issuers.client import JSONClient
from service.settings.program import Settings
from service.tokens.presented import PresentedToken
from service.validators import jwt
from service.validators.base import Validator, ValidatorContext


@pytest.fixture
def validator(fake_issuer: RunningIssuer, io_loop: IOLoop) -> Validator:
    settings = Settings(issuer=fake_issuer.issuer_url())
    time = SystemClock()
    cache = open_cache("memory://", clock=time)
    context = ValidatorContext(
        client=JSONClient(), clock=time, token_cache=ValidatedTokenCache(clock=time), cache=cache
    )
    return jwt.build(settings.trusted_issuers[0], context)


def _active(issuer: RunningIssuer) -> str:
    return next(key.kid for key in issuer.keys() if key.status == "ACTIVE")


@pytest.mark.gen_test
async def test_returns_who_the_token_speaks_for(validator: Validator, fake_issuer: RunningIssuer) -> None:
    principal = await validator.validate(
        PresentedToken.read(fake_issuer.token(sub="alice@example.com", scp="api:read"))
    )
    assert principal is not None
    assert (fake_issuer.issuer_url(), "alice@example.com", frozenset({"api:read"})) == (
        principal.issuer,
        principal.subject,
        principal.scopes,
    )


NOT_MINE: dict[str, Callable[[RunningIssuer], str]] = {
    "another server's token": lambda issuer: issuer.token(server="partner"),
    "a token without issuer": lambda issuer: issuer.token(claims={"iss": None}),
    "an opaque token": lambda issuer: issuer.token(kind="refresh"),
}


@pytest.mark.parametrize("make", NOT_MINE.values(), ids=NOT_MINE.keys())
@pytest.mark.gen_test
async def test_leaves_to_others(
    make: Callable[[RunningIssuer], str], validator: Validator, fake_issuer: RunningIssuer
) -> None:
    assert await validator.validate(PresentedToken.read(make(fake_issuer))) is None
    assert 0 == fake_issuer.requests().count


REFUSED: dict[str, tuple[Callable[[RunningIssuer], str], Reason]] = {
    "none": (lambda issuer: issuer.token(alg="none"), Reason.UNSUPPORTED_ALGORITHM),
    "HS256 with the public key": (lambda issuer: issuer.token(alg="HS256"), Reason.UNSUPPORTED_ALGORITHM),
    "another type": (lambda issuer: issuer.token(header={"typ": "dpop+jwt"}), Reason.UNSUPPORTED_TYPE),
    "crit": (lambda issuer: issuer.token(header={"crit": ["x"]}), Reason.CRITICAL_HEADER),
}


@pytest.mark.parametrize(("make", "reason"), REFUSED.values(), ids=REFUSED.keys())
@pytest.mark.gen_test
async def test_refuses_without_fetching_anything(
    make: Callable[[RunningIssuer], str], reason: Reason, validator: Validator, fake_issuer: RunningIssuer
) -> None:
    with pytest.raises(InvalidToken) as refusal:
        await validator.validate(PresentedToken.read(make(fake_issuer)))
    assert reason is refusal.value.reason
    assert 0 == fake_issuer.requests().count


REFUSED_BY_KEY: dict[str, tuple[Callable[[RunningIssuer], str], Reason]] = {
    "a key that is not published": (lambda issuer: issuer.token(key="unpublished"), Reason.UNKNOWN_KEY),
    "a known key ID on another key": (
        lambda issuer: issuer.token(key="unpublished", header={"kid": _active(issuer)}),
        Reason.BAD_SIGNATURE,
    ),
    "no key ID on another key": (
        lambda issuer: issuer.token(key="unpublished", header={"kid": None}),
        Reason.BAD_SIGNATURE,
    ),
    "another audience": (lambda issuer: issuer.token(aud="api://other"), Reason.WRONG_AUDIENCE),
    "an expired token": (lambda issuer: issuer.token(expires_in=-121), Reason.EXPIRED),
}


@pytest.mark.parametrize(("make", "reason"), REFUSED_BY_KEY.values(), ids=REFUSED_BY_KEY.keys())
@pytest.mark.gen_test
async def test_refuses(
    make: Callable[[RunningIssuer], str], reason: Reason, validator: Validator, fake_issuer: RunningIssuer
) -> None:
    with pytest.raises(InvalidToken) as refusal:
        await validator.validate(PresentedToken.read(make(fake_issuer)))
    assert reason is refusal.value.reason


@pytest.mark.gen_test(timeout=60)
async def test_refuses_a_signed_token_with_any_character_changed(
    validator: Validator, fake_issuer: RunningIssuer
) -> None:
    text = fake_issuer.token()
    assert await validator.validate(PresentedToken.read(text)) is not None
    for position in itertools.chain(range(0, len(text), 7), range(len(text) - 5, len(text))):
        spoilt = text[:position] + ("A" if text[position] != "A" else "B") + text[position + 1 :]
        token = PresentedToken.read(spoilt)
        try:
            principal = await validator.validate(token)
        except InvalidToken:
            continue
        assert principal is None, f"accepted with character {position} changed"
