from __future__ import annotations

from typing import Any

import pytest

from service.errors import InsufficientAuthentication, Reason
from service.tokens.principal import Principal
from service.web.policy.step_up import parse_step_up

NOW = 1_700_000_000
PWD, ANY, TWO = "urn:okta:loa:1fa:pwd", "urn:okta:loa:1fa:any", "urn:okta:loa:2fa:any"
IF_POSSIBLE = "urn:okta:loa:2fa:any:ifpossible"


def _principal(**claims: Any) -> Principal:
    return Principal.from_claims({"iss": "https://issuer.example", "exp": NOW + 60} | claims)


LEVELS: list[tuple[str, str | None, bool]] = [
    ("gold", "gold", True),
    ("gold", "Gold", False),
    ("gold", "phrh", False),
    ("gold silver", "silver", True),
    ("gold", None, False),
    (ANY, PWD, True),
    (ANY, IF_POSSIBLE, True),
    (PWD, ANY, False),
    (PWD, IF_POSSIBLE, False),
    (TWO, TWO, True),
    (TWO, PWD, False),
    (TWO, IF_POSSIBLE, False),
    (TWO, "phr", True),
    (TWO, "phrh", True),
    (TWO, "urn:okta:loa:3fa:any", False),
    (IF_POSSIBLE, IF_POSSIBLE, True),
    (IF_POSSIBLE, TWO, True),
    (IF_POSSIBLE, PWD, False),
    ("phr", TWO, False),
    ("phr", "phrh", True),
    ("phrh", "phr", False),
]


@pytest.mark.parametrize(("required", "acr", "sufficient"), LEVELS)
def test_an_authentication_class_is_compared_with_the_required_ones(
    required: str, acr: str | None, *, sufficient: bool
) -> None:
    step_up = parse_step_up(acr_values=required, max_age=None)
    if sufficient:
        step_up.check(_principal(acr=acr), now=NOW)
        return
    with pytest.raises(InsufficientAuthentication) as error:
        step_up.check(_principal(acr=acr), now=NOW)
    assert (Reason.INSUFFICIENT_ACR, "acr", tuple(required.split()), None) == (
        error.value.reason,
        error.value.claim,
        error.value.acr_values,
        error.value.max_age,
    )


@pytest.mark.parametrize("auth_time", [NOW, NOW - 300, NOW + 60])
def test_an_authentication_within_the_maximum_age_is_accepted(auth_time: float) -> None:
    parse_step_up(acr_values=(), max_age=300).check(_principal(auth_time=auth_time), now=NOW)


@pytest.mark.parametrize("auth_time", [None, NOW - 301, 0, "now", True, float("inf"), float("nan"), [NOW]])
def test_an_old_or_undated_authentication_is_rejected(auth_time: Any) -> None:
    with pytest.raises(InsufficientAuthentication) as error:
        parse_step_up(acr_values="phr", max_age=300).check(_principal(acr="phr", auth_time=auth_time), now=NOW)
    assert (Reason.AUTHENTICATION_TOO_OLD, "auth_time", ("phr",), 300) == (
        error.value.reason,
        error.value.claim,
        error.value.acr_values,
        error.value.max_age,
    )


@pytest.mark.parametrize(
    ("acr_values", "max_age"),
    [(7, None), (['a"b'], None), (["a b"], None), ([1], None), ((), -1), ((), 1.5), ((), True)],
)
def test_values_that_a_challenge_cannot_carry_are_rejected(acr_values: Any, max_age: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        parse_step_up(acr_values=acr_values, max_age=max_age)
