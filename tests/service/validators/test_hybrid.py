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
async def test_leaves_to_others_what_is_no_jwt_of_its_issuer(
    text: str, context: ValidatorContext, trusted: Callable[..., TrustedIssuer], fake_issuer: RunningIssuer
) -> None:
    token = fake_issuer.token(server="partner") if text == "partner" else text
    assert await hybrid.build(trusted(), context).validate(PresentedToken.read(token)) is None
    assert 0 == fake_issuer.requests().count


@pytest.mark.parametrize("suffices", ["no", "yes"])
@pytest.mark.gen_test
async def test_is_ready_without_introspection_only_where_the_signature_suffices(
    suffices: str, context: ValidatorContext, trusted: Callable[..., TrustedIssuer], fake_issuer: RunningIssuer
) -> None:
    judge = hybrid.build(trusted(insecure_accept_when_introspection_fails=suffices, client_secret="wrong"), context)
    with pytest.raises(IssuerUnavailable) if suffices == "no" else contextlib.nullcontext():
        assert await judge.validate(PresentedToken.read(fake_issuer.token())) is not None
    with pytest.raises(IssuerUnavailable) if suffices == "no" else contextlib.nullcontext():
        await judge.check_ready()
    await judge.close()
