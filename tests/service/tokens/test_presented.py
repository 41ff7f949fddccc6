from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.errors import InvalidToken, Reason
from service.tokens.presented import MAX_TOKEN_SIZE, PresentedToken


def _jwt(claims: object) -> str:
    parts = [json.dumps({"alg": "RS256"}).encode(), json.dumps(claims).encode(), b"signature"]
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


def test_the_unverified_issuer_is_read_from_a_jwt() -> None:
    token = PresentedToken.read(_jwt({"iss": "https://issuer.example"}))
    assert token.jws is not None
    assert "https://issuer.example" == token.unverified_issuer


@pytest.mark.parametrize("issuer", [None, 1, ["https://issuer.example"], {}])
def test_an_issuer_that_is_not_a_string_is_none(issuer: object) -> None:
    token = PresentedToken.read(_jwt({"iss": issuer}))
    assert token.jws is not None
    assert token.unverified_issuer is None


@pytest.mark.parametrize(
    "text", ["opaque", "a.b.c", _jwt([]), _jwt("claims"), "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU"]
)
def test_a_text_that_is_not_a_jwt_is_an_opaque_token(text: str) -> None:
    token = PresentedToken.read(text)
    assert token.jws is None
    assert token.parse_error


def test_a_token_over_the_maximum_size_is_rejected() -> None:
    with pytest.raises(InvalidToken) as exc_info:
        PresentedToken.read("a" * (MAX_TOKEN_SIZE + 1))
    assert Reason.TOO_LARGE is exc_info.value.reason
    assert PresentedToken.read("a" * MAX_TOKEN_SIZE).jws is None


def test_repr_hides_the_token() -> None:
    text = _jwt({"iss": "https://issuer.example", "sub": "alice"})
    representation = repr(PresentedToken.read(text))
    assert "alice" not in representation
    assert not any(part in representation for part in text.split("."))


@given(st.text())
def test_the_parse_error_does_not_quote_the_token(text: str) -> None:
    token = PresentedToken.read(text + "\N{SNOWMAN}")
    assert "\N{SNOWMAN}" not in token.parse_error
