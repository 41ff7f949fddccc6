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
def test_a_text_that_is_not_a_jwt_has_no_parts_and_a_parse_error(text: str) -> None:
    token = PresentedToken.read(text)
    assert token.jws is None
    assert token.parse_error


VALID = _jwt({"iss": "https://issuer.example"})
JWE_HEADER = base64.urlsafe_b64encode(b'{"alg":"dir","enc":"A256GCM"}').rstrip(b"=").decode()
MALFORMED: dict[str, str] = {
    "padding after the signature": f"{VALID}==",
    "another part": f"{VALID}.x",
    "an empty part": f"{VALID}.",
    "two parts more": f"{VALID}.x.y",
    "a dot before it": f".{VALID}",
    "a tilde after it": f"{VALID}~",
    "a tilde before it": f"~{VALID}",
    "another character": f"{VALID}!",
    "a signature in plain base64": f"{VALID[:-2]}+/",
    "a signature with unused bits": f"{VALID}B",
    "padding after the header": VALID.replace(".", "=.", 1),
    "a header of one character more": VALID.replace(".", "A.", 1),
    "no signature": VALID.rpartition(".")[0],
    "a header in UTF-16": base64.urlsafe_b64encode('{"alg":"RS256"}'.encode("utf-16")).decode() + ".e30.abcd",
    "no payload": VALID.partition(".")[0],
    "claims that are a list": _jwt([]),
    "claims that are a string": _jwt("claims"),
    "the header of an encrypted token": f"{JWE_HEADER}.e30.!",
}


@pytest.mark.parametrize("text", MALFORMED.values(), ids=MALFORMED.keys())
def test_a_damaged_jwt_does_not_pass_as_an_opaque_token(text: str) -> None:
    token = PresentedToken.read(text)
    assert token.jws is None
    assert token.is_malformed_jwt


NOT_MALFORMED: dict[str, str] = {
    "a JWT": VALID,
    "an opaque token": "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU",
    "a single character": "a",
    "nothing": "",
    "dots": "..",
    "an encrypted JWT": f"{JWE_HEADER}..a.b.c",
    "a JSON object in base64": base64.urlsafe_b64encode(b'{"iv":"x","value":"y","mac":"z"}').decode(),
    "a signed object of another kind": base64.urlsafe_b64encode(b'{"user":1}').decode() + ".ZxYz.abcd",
}


@pytest.mark.parametrize("text", NOT_MALFORMED.values(), ids=NOT_MALFORMED.keys())
def test_an_opaque_token_or_a_jwt_is_no_malformed_jwt(text: str) -> None:
    assert not PresentedToken.read(text).is_malformed_jwt


@given(st.text())
def test_a_jwt_with_any_part_added_is_malformed(text: str) -> None:
    assert not PresentedToken.read(text).is_malformed_jwt
    assert PresentedToken.read(f"{VALID}.{text}").is_malformed_jwt


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
