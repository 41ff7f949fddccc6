from __future__ import annotations

from collections.abc import Callable

import pytest

from fakeissuer import RunningIssuer
from service.caches.tokens import ValidatedTokenCache
from service.clock import ManualClock
from service.errors import InvalidToken, Reason, SettingsError
from service.settings.issuers import TrustedIssuer
from service.tokens.presented import PresentedToken
from service.validators import introspection, jwt
from service.validators.base import Validator, ValidatorContext


async def _verdict(validator: Validator, text: str) -> str:
    try:
        principal = await validator.validate(PresentedToken.read(text))
    except InvalidToken as exc:
        return exc.reason
    return "accepted" if principal else "not mine"


@pytest.mark.gen_test
async def test_a_revoked_token_is_refused_after_the_lifetime_or_at_once_without_its_answer_and_locally_at_its_end(
    context: ValidatorContext, trusted: Callable[..., TrustedIssuer], fake_issuer: RunningIssuer, clock: ManualClock
) -> None:
    issuer = trusted()
    asking, local = introspection.build(issuer, context), jwt.build(issuer, context)
    late, dropped = fake_issuer.token(), fake_issuer.token()
    for token in (late, dropped):
        assert "accepted" == await _verdict(asking, token)
        fake_issuer.revoke(token)
        assert "accepted" == await _verdict(asking, token)
    context.issuer(issuer).introspection_cache.delete(dropped)
    assert Reason.INACTIVE == await _verdict(asking, dropped)
    clock.advance(59)
    assert "accepted" == await _verdict(asking, late)
    clock.advance(1)
    assert Reason.INACTIVE == await _verdict(asking, late)
    assert "accepted" == await _verdict(local, late)
    clock.advance(3600 + 60)
    assert Reason.EXPIRED == await _verdict(local, late)


@pytest.mark.gen_test
async def test_a_token_that_was_asked_about_is_recalled_for_as_long_as_its_answer_is_believed(
    context: ValidatorContext,
    trusted: Callable[..., TrustedIssuer],
    fake_issuer: RunningIssuer,
    clock: ManualClock,
    token_cache: ValidatedTokenCache,
) -> None:
    token = fake_issuer.token(sub="alice@example.com", scp="api:read")
    assert "accepted" == await _verdict(introspection.build(trusted(), context), token)
    recalled = token_cache.get(token)
    assert recalled is not None
    assert ("alice@example.com", frozenset({"api:read"})) == (recalled.subject, recalled.scopes)
    assert "active" not in recalled.claims
    clock.advance(60)
    assert token_cache.get(token) is None


@pytest.mark.gen_test
async def test_another_issuers_token_is_shown_to_nobody(
    context: ValidatorContext, trusted: Callable[..., TrustedIssuer], fake_issuer: RunningIssuer
) -> None:
    asking = introspection.build(trusted(), context)
    assert "not mine" == await _verdict(asking, fake_issuer.token(server="partner"))
    assert 0 == fake_issuer.requests().count


@pytest.mark.gen_test
async def test_is_ready_once_the_endpoint_is_known(
    context: ValidatorContext, trusted: Callable[..., TrustedIssuer], fake_issuer: RunningIssuer
) -> None:
    asking = introspection.build(trusted(), context)
    await asking.check_ready()
    assert 1 == fake_issuer.requests("discovery").count
    await asking.close()


def test_without_credentials_there_is_nobody_to_ask(
    context: ValidatorContext, trusted: Callable[..., TrustedIssuer]
) -> None:
    with pytest.raises(SettingsError, match="client_id"):
        introspection.build(trusted(client_id=None, client_secret=None), context)
