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


async def _outcome(validator: Validator, text: str) -> str:
    try:
        principal = await validator.validate(PresentedToken.read(text))
    except InvalidToken as exc:
        return exc.reason
    return "accepted" if principal else "of another issuer"


@pytest.mark.gen_test
async def test_a_revoked_token_is_accepted_until_its_response_or_the_token_expires(
    context: ValidatorContext, trusted: Callable[..., TrustedIssuer], fake_issuer: RunningIssuer, clock: ManualClock
) -> None:
    issuer = trusted()
    remote, local = introspection.build(issuer, context), jwt.build(issuer, context)
    cached, deleted = fake_issuer.token(), fake_issuer.token()
    for token in (cached, deleted):
        assert "accepted" == await _outcome(remote, token)
        fake_issuer.revoke(token)
        assert "accepted" == await _outcome(remote, token)
    context.issuer(issuer).introspection_cache.delete(deleted)
    assert Reason.INACTIVE == await _outcome(remote, deleted)
    clock.advance(59)
    assert "accepted" == await _outcome(remote, cached)
    clock.advance(1)
    assert Reason.INACTIVE == await _outcome(remote, cached)
    assert "accepted" == await _outcome(local, cached)
    clock.advance(3600 + 60)
    assert Reason.EXPIRED == await _outcome(local, cached)


@pytest.mark.gen_test
async def test_an_introspected_token_is_cached_until_its_response_expires(
    context: ValidatorContext,
    trusted: Callable[..., TrustedIssuer],
    fake_issuer: RunningIssuer,
    clock: ManualClock,
    token_cache: ValidatedTokenCache,
) -> None:
    token = fake_issuer.token(sub="alice@example.com", scp="api:read")
    assert "accepted" == await _outcome(introspection.build(trusted(), context), token)
    principal = token_cache.get(token)
    assert principal is not None
    assert ("alice@example.com", frozenset({"api:read"})) == (principal.subject, principal.scopes)
    assert "active" not in principal.claims
    clock.advance(60)
    assert token_cache.get(token) is None


@pytest.mark.gen_test
async def test_a_token_of_another_issuer_is_not_introspected(
    context: ValidatorContext, trusted: Callable[..., TrustedIssuer], fake_issuer: RunningIssuer
) -> None:
    validator = introspection.build(trusted(), context)
    assert "of another issuer" == await _outcome(validator, fake_issuer.token(server="partner"))
    assert 0 == fake_issuer.requests().count


@pytest.mark.gen_test
async def test_a_validator_is_ready_once_the_endpoint_is_known(
    context: ValidatorContext, trusted: Callable[..., TrustedIssuer], fake_issuer: RunningIssuer
) -> None:
    validator = introspection.build(trusted(), context)
    await validator.check_ready()
    assert 1 == fake_issuer.requests("discovery").count
    await validator.close()


def test_without_client_credentials_building_fails(
    context: ValidatorContext, trusted: Callable[..., TrustedIssuer]
) -> None:
    with pytest.raises(SettingsError, match="client_id"):
        introspection.build(trusted(client_id=None, client_secret=None), context)
