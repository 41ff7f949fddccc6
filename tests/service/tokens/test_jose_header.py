from __future__ import annotations

import pytest

from service.tokens.jose_header import JOSEHeader


@pytest.mark.parametrize(
    ("typ", "comparable"),
    [("JWT", "jwt"), ("application/AT+JWT", "at+jwt"), ("Application/at+jwt", "at+jwt"), ("text/jwt", "text/jwt")],
)
def test_a_type_is_in_lower_case_without_its_prefix(typ: str, comparable: str) -> None:
    assert comparable == JOSEHeader.of({"typ": typ}).typ


@pytest.mark.parametrize("value", [None, 1, True, ["RS256"], {}])
def test_a_parameter_that_is_not_a_string_is_none(value: object) -> None:
    header = JOSEHeader.of({"alg": value, "kid": value, "typ": value})
    assert (None, None, None) == (header.alg, header.kid, header.typ)


def test_the_type_of_an_okta_org_server_is_recognised() -> None:
    assert JOSEHeader.of({"typ": "application/okta-internal-at+jwt"}).is_of_okta_org_token
    assert not JOSEHeader.of({"typ": "at+jwt"}).is_of_okta_org_token


@pytest.mark.parametrize(
    ("parameters", "forbidden"),
    [
        ({"crit": []}, "crit"),
        ({"b64": True}, "b64"),
        ({"zip": "DEF"}, "zip"),
        ({"zip": None}, "zip"),
        ({"zip": "none"}, "zip"),
        ({"zip": "NONE"}, None),  # PingAM
        ({"crit": "NONE"}, "crit"),
    ],
)
def test_the_forbidden_parameter_is_named(parameters: dict[str, object], forbidden: str | None) -> None:
    assert forbidden == JOSEHeader.of(parameters).forbidden
