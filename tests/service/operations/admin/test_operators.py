from __future__ import annotations

import pytest

from service.clock import ManualClock
from service.operations.admin import operators as module
from service.operations.admin.operators import BURST, EVERY, Operators, TooManyAttempts, WrongToken

ALICE = "alice-0123456789-abcdefghijklmnopqrst"
BOB = "bob-0123456789-abcdefghijklmnopqrstuv"


@pytest.fixture
def operators(clock: ManualClock) -> Operators:
    return Operators({"alice": ALICE, "bob": BOB}, clock=clock)


@pytest.mark.parametrize(
    ("fields", "name"),
    [([f"Bearer {ALICE}"], "alice"), ([f"bearer  {BOB}"], "bob"), ([f"BEARER {BOB} "], "bob")],
)
def test_a_token_identifies_its_operator(fields: list[str], name: str, operators: Operators) -> None:
    assert name == operators.identify(fields, address="192.0.2.1")


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ([], "no_token"),
        ([""], "no_token"),
        (["Bearer"], "wrong_token"),
        ([f"Basic {ALICE}"], "wrong_token"),
        ([ALICE], "wrong_token"),
        ([f"Bearer {ALICE[:-1]}"], "wrong_token"),
        ([f"Bearer {ALICE}\udcff"], "wrong_token"),
        ([f"Bearer {ALICE}", f"Bearer {ALICE}"], "wrong_token"),
    ],
)
def test_anything_else_is_a_wrong_token(fields: list[str], reason: str, operators: Operators) -> None:
    with pytest.raises(WrongToken, match=reason):
        operators.identify(fields, address="192.0.2.1")


def _exhaust(operators: Operators, address: str) -> None:
    for _ in range(BURST):
        with pytest.raises(WrongToken):
            operators.identify(["Bearer wrong"], address=address)


def test_an_address_waits_after_too_many_wrong_tokens(operators: Operators, clock: ManualClock) -> None:
    _exhaust(operators, "2001:db8::1")
    for address in ("2001:db8::1", "2001:db8::2"):  # one subscriber has both
        with pytest.raises(TooManyAttempts) as rejection:
            operators.identify([f"Bearer {ALICE}"], address=address)
        assert EVERY == rejection.value.retry_after
    assert "alice" == operators.identify([f"Bearer {ALICE}"], address="2001:db8:0:1::1")
    clock.advance(EVERY)
    assert "alice" == operators.identify([f"Bearer {ALICE}"], address="2001:db8::1")


def test_right_tokens_are_not_limited(operators: Operators) -> None:
    for _ in range(3 * BURST):
        operators.identify([f"Bearer {ALICE}"], address="192.0.2.1")


def test_the_number_of_addresses_in_memory_is_bounded(operators: Operators) -> None:
    for number in range(2 * module.MAX_ADDRESSES):
        with pytest.raises(WrongToken):
            operators.identify(["Bearer wrong"], address=f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}")
    assert module.MAX_ADDRESSES == len(operators._attempts)
