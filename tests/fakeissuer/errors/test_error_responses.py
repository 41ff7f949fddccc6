from __future__ import annotations

import re

import pytest

from fakeissuer.errors import OAuthError
from fakeissuer.errors.error_responses import ErrorCase, ErrorFormat
from fakeissuer.responses.reply import error_reply

PLAIN = re.compile(r"[ !#-\[\]-~]+")
"""What RFC 6750 section 3 allows in an error_description."""


@pytest.mark.parametrize("case", ErrorCase)
def test_each_case_is_a_valid_error_response(case: ErrorCase) -> None:
    spec = case.value
    assert spec.status in (400, 401, 403, 404, 405, 429, 500, 503)
    assert PLAIN.fullmatch(spec.description)
    assert spec.description.endswith(".") or spec.description.endswith("{}")
    assert spec.description.count("{}") <= 1
    reply = error_reply(OAuthError(case, "x"), challenge='Bearer error="x"')
    assert reply.status == spec.status
    assert bool(reply.body) is (spec.format is not ErrorFormat.CHALLENGE)


def test_okta_codes_have_the_okta_format() -> None:
    for case in ErrorCase:
        if case.value.code.startswith("E0000"):
            assert case.value.format is ErrorFormat.OKTA
