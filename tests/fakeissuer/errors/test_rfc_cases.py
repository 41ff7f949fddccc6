from __future__ import annotations

import json

import pytest

from fakeissuer.errors import OAuthError
from fakeissuer.errors.error_responses import RFC_OVERRIDES, ErrorCase, ErrorFormat
from fakeissuer.responses.reply import rfc_error_reply


@pytest.mark.parametrize("case", ErrorCase)
def test_each_case_has_the_oauth_format_and_no_okta_code(case: ErrorCase) -> None:
    reply = rfc_error_reply(OAuthError(case, "x"), challenge='Bearer realm="x"')
    if case.value.format is ErrorFormat.CHALLENGE:
        assert reply.body == b""
    else:
        members = json.loads(reply.body)
        assert list(members) == ["error", "error_description"]
        assert not members["error"].startswith("E0000")
    assert (reply.status == 401) <= ("WWW-Authenticate" in reply.headers)


@pytest.mark.parametrize("case", RFC_OVERRIDES)
def test_each_case_differs_from_oktas(case: ErrorCase) -> None:
    spec = case.value
    assert RFC_OVERRIDES[case] != (spec.status, spec.code)


@pytest.mark.parametrize(
    ("case", "scheme"),
    [(ErrorCase.WRONG_SECRET, "Basic"), (ErrorCase.API_TOKEN_INVALID, "Bearer"), (ErrorCase.NO_SUCH_CLIENT, "Bearer")],
)
def test_a_401_has_a_challenge_for_its_scheme(case: ErrorCase, scheme: str) -> None:
    assert rfc_error_reply(OAuthError(case)).headers["WWW-Authenticate"] == f'{scheme} realm="fakeissuer"'
