from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from fakeissuer import RunningIssuer
from service.caches.tokens import ValidatedTokenCache
from service.clock import ManualClock
from service.errors import InvalidToken, Reason, SettingsError
from service.settings.issuers import TrustedIssuer
from service.tokens.presented import PresentedToken
from service.validators import introspection, jwt
from service.validators.base import Validator, ValidatorContext

KEY, OTHER_KEY = "k" * 43, "o" * 43
"""Thumbprints."""


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


INVALID_JWTS: dict[str, tuple[dict[str, Any], str]] = {
    "another audience": ({"aud": "api://other"}, Reason.WRONG_AUDIENCE),
    "an expired token": ({"expires_in": -121}, Reason.EXPIRED),
    "no expiration": ({"claims": {"exp": None}}, Reason.MISSING_CLAIM),
    "a token bound to a key in another way": ({"claims": {"cnf": {"kid": "a"}}}, Reason.SENDER_CONSTRAINED),
    "an ID token": ({"kind": "id", "aud": "api://default"}, Reason.ID_TOKEN),
    "a refresh token": ({"claims": {"typ": "Refresh"}}, Reason.UNSUPPORTED_TYPE),
    "a logout token": ({"header": {"typ": "logout+jwt"}}, Reason.UNSUPPORTED_TYPE),
    "a critical extension": ({"header": {"crit": ["x"]}}, Reason.CRITICAL_HEADER),
    "a token without a signature": ({"alg": "none"}, Reason.UNSUPPORTED_ALGORITHM),
    "a token without an algorithm": ({"header": {"alg": None}}, Reason.UNSUPPORTED_ALGORITHM),
    "a client that is not allowed": ({"cid": "0oaweb00000000000001"}, Reason.CLIENT_NOT_TRUSTED),
    "a token that is too old": ({"claims": {"iat": 1}}, Reason.TOO_OLD),
}


@pytest.mark.parametrize(("members", "reason"), INVALID_JWTS.values(), ids=INVALID_JWTS.keys())
@pytest.mark.gen_test
async def test_a_jwt_that_is_invalid_by_itself_is_not_introspected(
    members: dict[str, Any],
    reason: str,
    context: ValidatorContext,
    trusted: Callable[..., TrustedIssuer],
    fake_issuer: RunningIssuer,
) -> None:
    issuer = trusted(allowed_client_ids=("0oaservice0000000001",), max_token_age=7200)
    assert reason == await _outcome(introspection.build(issuer, context), fake_issuer.token(**members))
    assert 0 == fake_issuer.requests().count


@pytest.mark.gen_test
async def test_a_malformed_jwt_is_not_introspected(
    context: ValidatorContext, trusted: Callable[..., TrustedIssuer], fake_issuer: RunningIssuer
) -> None:
    validator = introspection.build(trusted(), context)
    assert "of another issuer" == await _outcome(validator, f"{fake_issuer.token()}==")
    assert 0 == fake_issuer.requests().count


@pytest.mark.gen_test
async def test_a_claim_that_only_the_response_has_is_checked_there(
    context: ValidatorContext, trusted: Callable[..., TrustedIssuer], fake_issuer: RunningIssuer, clock: ManualClock
) -> None:
    """A lightweight token of Keycloak has neither an audience nor a client."""
    issuer = trusted(
        allowed_client_ids=("mine",), max_token_age=60, insecure_accept_introspection_without_audience=True
    )
    validator = introspection.build(issuer, context)
    response = {"active": True, "iss": fake_issuer.issuer_url(), "aud": "api://default", "exp": clock.now() + 60}
    outcomes = []
    for changes in ({"client_id": "mine"}, {"client_id": "other"}, {"client_id": "mine", "iat": 1}):
        body = {"iat": clock.now(), **response, **changes}
        fake_issuer.fail("introspect", status=200, body=body, times=1)
        token = fake_issuer.token(claims={"aud": None, "cid": None, "iat": None})
        outcomes.append(await _outcome(validator, token))
    assert ["accepted", Reason.CLIENT_NOT_TRUSTED, Reason.TOO_OLD] == outcomes


@pytest.mark.parametrize("seconds", [-10, 10])
@pytest.mark.gen_test
async def test_a_jwt_ends_with_the_earlier_of_its_own_expiration_and_that_of_the_response(
    seconds: int,
    context: ValidatorContext,
    trusted: Callable[..., TrustedIssuer],
    fake_issuer: RunningIssuer,
    clock: ManualClock,
) -> None:
    ends_at = int(clock.now()) + 30
    body = {"active": True, "iss": fake_issuer.issuer_url(), "aud": "api://default", "exp": ends_at + seconds}
    fake_issuer.fail("introspect", status=200, body=body)
    token = PresentedToken.read(fake_issuer.token(claims={"exp": ends_at}))
    principal = await introspection.build(trusted(), context).validate(token)
    assert principal is not None
    assert ends_at + min(seconds, 0) == principal.expires_at


@pytest.mark.gen_test
async def test_a_jwt_ends_when_it_is_too_old_by_its_own_date(
    context: ValidatorContext, trusted: Callable[..., TrustedIssuer], fake_issuer: RunningIssuer, clock: ManualClock
) -> None:
    now = int(clock.now())
    body = {"active": True, "iss": fake_issuer.issuer_url(), "aud": "api://default", "iat": now, "exp": now + 3600}
    fake_issuer.fail("introspect", status=200, body=body)
    token = PresentedToken.read(fake_issuer.token(claims={"iat": now - 50}))
    principal = await introspection.build(trusted(max_token_age=60), context).validate(token)
    assert principal is not None
    assert now + 10 == principal.expires_at


@pytest.mark.parametrize(("profile", "expected"), [("lenient", "accepted"), ("rfc9068", Reason.UNSUPPORTED_TYPE)])
@pytest.mark.gen_test
async def test_the_type_of_an_okta_org_server_is_accepted_unless_rfc9068_is_required(
    profile: str,
    expected: str,
    context: ValidatorContext,
    trusted: Callable[..., TrustedIssuer],
    fake_issuer: RunningIssuer,
) -> None:
    org = fake_issuer.issuer_url("org")
    validator = introspection.build(trusted(issuer=org, audience=org, token_profile=profile), context)
    assert expected == await _outcome(validator, fake_issuer.token(server="org"))


@pytest.mark.gen_test
async def test_a_refresh_token_is_rejected_as_such_and_not_for_its_missing_audience(
    context: ValidatorContext,
    trusted: Callable[..., TrustedIssuer],
    fake_issuer: RunningIssuer,
    caplog: pytest.LogCaptureFixture,
) -> None:
    fake_issuer.fail("introspect", status=200, body={"active": True, "token_use": "refresh_token"})
    assert Reason.UNSUPPORTED_TYPE == await _outcome(introspection.build(trusted(), context), "opaque")
    assert "insecure" not in caplog.text


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


@pytest.mark.parametrize(
    ("of_token", "of_response", "outcome"),
    [
        (KEY, KEY, {"jkt": KEY}),
        (KEY, None, {"jkt": KEY}),
        (None, KEY, {"jkt": KEY}),
        (KEY, OTHER_KEY, Reason.SENDER_CONSTRAINED),
        (None, None, None),
    ],
)
@pytest.mark.gen_test
async def test_a_token_is_bound_to_the_key_of_the_token_or_of_the_response(
    of_token: str | None,
    of_response: str | None,
    outcome: object,
    context: ValidatorContext,
    trusted: Callable[..., TrustedIssuer],
    fake_issuer: RunningIssuer,
    clock: ManualClock,
) -> None:
    validator = introspection.build(trusted(), context)
    body = {"active": True, "iss": fake_issuer.issuer_url(), "aud": "api://default", "exp": clock.now() + 60}
    fake_issuer.fail("introspect", status=200, body=body | ({"cnf": {"jkt": of_response}} if of_response else {}))
    token = PresentedToken.read(fake_issuer.token(dpop_jkt=of_token))
    if isinstance(outcome, Reason):
        with pytest.raises(InvalidToken) as exc_info:
            await validator.validate(token)
        assert outcome is exc_info.value.reason
    else:
        principal = await validator.validate(token)
        assert principal is not None
        assert outcome == principal.claims.get("cnf")


@pytest.mark.parametrize("opaque", [False, True])
@pytest.mark.gen_test
async def test_a_token_without_an_audience_is_accepted_from_an_allowed_client(
    *, opaque: bool, context: ValidatorContext, trusted: Callable[..., TrustedIssuer], fake_issuer: RunningIssuer
) -> None:
    """Neither the token nor the response of Cognito or Hydra has an audience."""
    issuer = trusted(allowed_client_ids=("0oaservice0000000001",), accept_tokens_without_audience=True)
    validator = introspection.build(issuer, context)
    without: list[dict[str, Any]] = [{"aud": None}, {"aud": []}]
    for claims in without:
        assert "accepted" == await _outcome(validator, fake_issuer.token(opaque=opaque, claims=claims))
        other = fake_issuer.token(opaque=opaque, cid="0oaweb00000000000001", claims=claims)
        assert Reason.CLIENT_NOT_TRUSTED == await _outcome(validator, other)
    assert Reason.MISSING_CLAIM == await _outcome(
        introspection.build(trusted(), context), fake_issuer.token(opaque=opaque, claims={"aud": None})
    )
