"""Sends each row of the page to the fake issuer over HTTP and compares the response."""

from __future__ import annotations

import pytest
from okta_wire.row import Row
from okta_wire.sections import SECTIONS
from okta_wire.world import World

from fakeissuer.server.running_issuer import RunningIssuer

ROWS = [pytest.param(row, id=f"{section.title}: {row.case}") for section in SECTIONS for row in section.rows]


@pytest.mark.parametrize("row", ROWS)
def test_the_response_is_oktas(fake_issuer: RunningIssuer, row: Row) -> None:
    _, seen = row.played(World(fake_issuer))
    assert row.expected == seen


def test_no_case_appears_twice() -> None:
    for section in SECTIONS:
        cases = [row.case for row in section.rows]
        assert sorted(set(cases)) == sorted(cases)
