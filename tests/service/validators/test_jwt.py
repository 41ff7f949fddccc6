from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest
from tornado.ioloop import IOLoop

from fakeissuer import RunningIssuer
from service.caches.shared import open_cache
from service.caches.tokens import ValidatedTokenCache
from service.clock import SystemClock
from service.errors import InvalidToken, IssuerUnavailable, Reason
from service.issuers.client import JSONClient
from service.settings.program import Settings
from service.tokens.presented import PresentedToken
from service.validators import jwt
from service.validators.base import Validator, ValidatorContext


@pytest.fixture
def validator(fake_issuer: RunningIssuer, io_loop: IOLoop) -> Validator:
    settings = Settings(issuer=fake_issuer.issuer_url())
    clock = SystemClock()
    cache = open_cache("memory://", clock=clock)
    context = ValidatorContext(
        client=JSONClient(), clock=clock, token_cache=ValidatedTokenCache(clock=clock), cache=cache
    )
    return jwt.build(settings.trusted_issuers[0], context)


def _active(issuer: RunningIssuer) -> str:
    return next(key.kid for key in issuer.keys() if key.status == "ACTIVE")


@pytest.mark.gen_test
async def test_a_valid_token_gives_its_principal(validator: Validator, fake_issuer: RunningIssuer) -> None:
    principal = await validator.validate(
        PresentedToken.read(fake_issuer.token(sub="alice@example.com", scp="api:read"))
    )
    assert principal is not None
    assert (fake_issuer.issuer_url(), "alice@example.com", frozenset({"api:read"})) == (
        principal.issuer,
        principal.subject,
        principal.scopes,
    )


OF_OTHERS: dict[str, Callable[[RunningIssuer], str]] = {
    "another server's token": lambda issuer: issuer.token(server="partner"),
    "a token without issuer": lambda issuer: issuer.token(claims={"iss": None}),
    "an opaque token": lambda issuer: issuer.token(kind="refresh"),
}


@pytest.mark.parametrize("make", OF_OTHERS.values(), ids=OF_OTHERS.keys())
@pytest.mark.gen_test
async def test_a_token_of_another_issuer_gives_none(
    make: Callable[[RunningIssuer], str], validator: Validator, fake_issuer: RunningIssuer
) -> None:
    assert await validator.validate(PresentedToken.read(make(fake_issuer))) is None
    assert 0 == fake_issuer.requests().count


INVALID_HEADERS: dict[str, tuple[Callable[[RunningIssuer], str], Reason]] = {
    "none": (lambda issuer: issuer.token(alg="none"), Reason.UNSUPPORTED_ALGORITHM),
    "HS256 with the public key": (lambda issuer: issuer.token(alg="HS256"), Reason.UNSUPPORTED_ALGORITHM),
    "another type": (lambda issuer: issuer.token(header={"typ": "dpop+jwt"}), Reason.UNSUPPORTED_TYPE),
    "crit": (lambda issuer: issuer.token(header={"crit": ["x"]}), Reason.CRITICAL_HEADER),
}


@pytest.mark.parametrize(("make", "reason"), INVALID_HEADERS.values(), ids=INVALID_HEADERS.keys())
@pytest.mark.gen_test
async def test_an_invalid_header_is_rejected_without_a_request(
    make: Callable[[RunningIssuer], str], reason: Reason, validator: Validator, fake_issuer: RunningIssuer
) -> None:
    with pytest.raises(InvalidToken) as exc_info:
        await validator.validate(PresentedToken.read(make(fake_issuer)))
    assert reason is exc_info.value.reason
    assert 0 == fake_issuer.requests().count


INVALID: dict[str, tuple[Callable[[RunningIssuer], str], Reason]] = {
    "an unpublished key": (lambda issuer: issuer.token(key="unpublished"), Reason.UNKNOWN_KEY),
    "another key with a published key ID": (
        lambda issuer: issuer.token(key="unpublished", header={"kid": _active(issuer)}),
        Reason.BAD_SIGNATURE,
    ),
    "another key without a key ID": (
        lambda issuer: issuer.token(key="unpublished", header={"kid": None}),
        Reason.BAD_SIGNATURE,
    ),
    "another audience": (lambda issuer: issuer.token(aud="api://other"), Reason.WRONG_AUDIENCE),
    "an expired token": (lambda issuer: issuer.token(expires_in=-121), Reason.EXPIRED),
}


@pytest.mark.parametrize(("make", "reason"), INVALID.values(), ids=INVALID.keys())
@pytest.mark.gen_test
async def test_an_invalid_token_is_rejected(
    make: Callable[[RunningIssuer], str], reason: Reason, validator: Validator, fake_issuer: RunningIssuer
) -> None:
    with pytest.raises(InvalidToken) as exc_info:
        await validator.validate(PresentedToken.read(make(fake_issuer)))
    assert reason is exc_info.value.reason


@pytest.mark.gen_test(timeout=60)
async def test_a_token_with_a_changed_character_is_rejected(validator: Validator, fake_issuer: RunningIssuer) -> None:
    text = fake_issuer.token()
    assert await validator.validate(PresentedToken.read(text)) is not None
    for position in itertools.chain(range(0, len(text), 7), range(len(text) - 5, len(text))):
        tampered = text[:position] + ("A" if text[position] != "A" else "B") + text[position + 1 :]
        token = PresentedToken.read(tampered)
        try:
            principal = await validator.validate(token)
        except (InvalidToken, IssuerUnavailable):  # the change may have made an unknown key ID
            continue
        assert principal is None, f"accepted with character {position} changed"
