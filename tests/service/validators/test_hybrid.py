from __future__ import annotations

import contextlib
from collections.abc import Callable

import pytest

from fakeissuer import RunningIssuer
from service.errors import IssuerUnavailable
from service.settings.issuers import TrustedIssuer
from service.tokens.presented import PresentedToken
from service.validators import hybrid
from service.validators.base import ValidatorContext


@pytest.mark.parametrize("text", ["opaque", "partner"])
@pytest.mark.gen_test
async def test_a_token_that_is_not_a_jwt_of_the_issuer_gives_none(
    text: str, context: ValidatorContext, trusted: Callable[..., TrustedIssuer], fake_issuer: RunningIssuer
) -> None:
    token = fake_issuer.token(server="partner") if text == "partner" else text
    assert await hybrid.build(trusted(), context).validate(PresentedToken.read(token)) is None
    assert 0 == fake_issuer.requests().count


@pytest.mark.parametrize("accept", ["no", "yes"])
@pytest.mark.gen_test
async def test_failing_introspection_is_tolerated_only_if_the_setting_allows_it(
    accept: str, context: ValidatorContext, trusted: Callable[..., TrustedIssuer], fake_issuer: RunningIssuer
) -> None:
    validator = hybrid.build(trusted(insecure_accept_when_introspection_fails=accept, client_secret="wrong"), context)
    with pytest.raises(IssuerUnavailable) if accept == "no" else contextlib.nullcontext():
        assert await validator.validate(PresentedToken.read(fake_issuer.token())) is not None
    with pytest.raises(IssuerUnavailable) if accept == "no" else contextlib.nullcontext():
        await validator.check_ready()
    await validator.close()
