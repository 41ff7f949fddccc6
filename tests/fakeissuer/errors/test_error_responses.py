from __future__ import annotations

import re

import pytest

from fakeissuer.errors import Refused
from fakeissuer.errors.error_responses import Problem, Shape
from fakeissuer.responses.reply import refusal

PLAIN = re.compile(r"[ !#-\[\]-~]+")
"""What RFC 6750 section 3 allows in an error_description."""


@pytest.mark.parametrize("problem", Problem)
def test_each_row_is_a_refusal_that_can_be_sent(problem: Problem) -> None:
    case = problem.value
    assert case.status in (400, 401, 403, 404, 405, 429, 500, 503)
    assert PLAIN.fullmatch(case.sentence)
    assert case.sentence.endswith(".") or case.sentence.endswith("{}")
    assert case.sentence.count("{}") <= 1
    reply = refusal(Refused(problem, "x"), challenge='Bearer error="x"')
    assert reply.status == case.status
    assert bool(reply.body) is (case.shape is not Shape.CHALLENGE)


def test_okta_codes_are_in_okta_shape() -> None:
    for problem in Problem:
        if problem.value.code.startswith("E0000"):
            assert problem.value.shape is Shape.OKTA
