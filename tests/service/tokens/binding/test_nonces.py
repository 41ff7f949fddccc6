from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.tokens.binding.nonces import PERIOD, NonceSource

NOW = 1_700_000_100.0
SECRET, NEXT = b"1" * 32, b"2" * 32
NONCES = NonceSource([SECRET])


@pytest.mark.parametrize(
    ("later", "outcome"),
    [
        (0, "accepted"),
        (PERIOD, "accepted"),
        (-PERIOD, "accepted"),
        (2 * PERIOD, "rejected"),
        (-2 * PERIOD, "rejected"),
        (10_000, "rejected"),
    ],
)
def test_a_nonce_is_accepted_in_its_period_and_in_its_neighbours(later: float, outcome: str) -> None:
    nonce = NONCES.current("scope", now=NOW)
    assert (outcome == "accepted") is NONCES.accepts(nonce, "scope", now=NOW + later)


def test_each_period_has_its_nonce() -> None:
    assert NONCES.current("scope", now=NOW) == NONCES.current("scope", now=NOW + 1)
    assert NONCES.current("scope", now=NOW) != NONCES.current("scope", now=NOW + PERIOD)


def test_a_nonce_of_one_scope_is_not_accepted_in_another() -> None:
    assert not NONCES.accepts(NONCES.current("scope", now=NOW), "another", now=NOW)


def test_processes_with_the_same_secret_accept_each_others_nonces() -> None:
    assert NonceSource([SECRET]).accepts(NONCES.current("scope", now=NOW), "scope", now=NOW)
    assert not NonceSource([NEXT]).accepts(NONCES.current("scope", now=NOW), "scope", now=NOW)


def test_while_a_secret_is_replaced_nonces_of_both_are_accepted() -> None:
    both = NonceSource([NEXT, SECRET])
    assert both.accepts(NONCES.current("scope", now=NOW), "scope", now=NOW)
    assert both.current("scope", now=NOW) == NonceSource([NEXT]).current("scope", now=NOW)


@given(st.text())
def test_no_other_text_is_accepted(text: str) -> None:
    assert not NONCES.accepts(text, "scope", now=NOW)
    assert not NONCES.accepts(NONCES.current("scope", now=NOW) + text + "=", "scope", now=NOW)
