from __future__ import annotations

import json

import pytest

from fakeissuer.errors import Refused
from fakeissuer.errors.error_responses import RFC_CASES, Problem, Shape
from fakeissuer.responses.reply import rfc_refusal


@pytest.mark.parametrize("problem", Problem)
def test_each_refusal_has_one_shape_and_a_code_that_is_not_oktas(problem: Problem) -> None:
    reply = rfc_refusal(Refused(problem, "x"), challenge='Bearer realm="x"')
    if problem.value.shape is Shape.CHALLENGE:
        assert reply.body == b""
    else:
        members = json.loads(reply.body)
        assert list(members) == ["error", "error_description"]
        assert not members["error"].startswith("E0000")
    assert (reply.status == 401) <= ("WWW-Authenticate" in reply.headers)


@pytest.mark.parametrize("problem", RFC_CASES)
def test_each_case_differs_from_oktas(problem: Problem) -> None:
    case = problem.value
    assert RFC_CASES[problem] != (case.status, case.code)


@pytest.mark.parametrize(
    ("problem", "scheme"),
    [(Problem.WRONG_SECRET, "Basic"), (Problem.API_TOKEN_INVALID, "Bearer"), (Problem.NO_SUCH_CLIENT, "Bearer")],
)
def test_a_401_challenges_for_what_was_wrong(problem: Problem, scheme: str) -> None:
    assert rfc_refusal(Refused(problem)).headers["WWW-Authenticate"] == f'{scheme} realm="fakeissuer"'
