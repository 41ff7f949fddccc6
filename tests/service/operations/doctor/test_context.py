from __future__ import annotations

import pytest

from service.clock import ManualClock
from service.errors import InvalidToken, Reason
from service.issuers.client import JSONClient
from service.operations.doctor.context import ExplainContext
from service.settings.program import Settings


@pytest.fixture
def context() -> ExplainContext:
    settings = Settings(issuer="https://dev-1.okta.com/oauth2/default")
    return ExplainContext(text="a-secret-token", settings=settings, client=JSONClient(), clock=ManualClock(), now=0)


def test_a_token_is_parsed_as_the_service_does(context: ExplainContext) -> None:
    with pytest.raises(InvalidToken) as rejection:
        _ = context.jws
    assert Reason.MALFORMED_TOKEN is rejection.value.reason


def test_there_are_no_rules_before_the_issuer_is_known(context: ExplainContext) -> None:
    with pytest.raises(RuntimeError):
        _ = context.rules


def test_the_repr_hides_the_token(context: ExplainContext) -> None:
    assert "a-secret-token" not in repr(context)
