from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.tokens import base64url

REFUSED = {
    "padding": "YQ==",
    "one character more than fits": "YWJjZ",
    "unused bits that are not zero": "YR",
    "the other alphabet": "-_+/",
    "white space": "YW Jj",
    "a line end behind": "YWJj\n",
    "a character outside the alphabet": "YW*j",
    "a letter that looks like one": "YWJj\N{FULLWIDTH LATIN SMALL LETTER A}",
}


@pytest.mark.parametrize("text", REFUSED.values(), ids=REFUSED.keys())
def test_refuses(text: str) -> None:
    with pytest.raises(ValueError, match="base64url"):
        base64url.decode(text.encode())


@given(st.binary())
def test_reads_what_was_written(data: bytes) -> None:
    assert data == base64url.decode(base64.urlsafe_b64encode(data).rstrip(b"="))


@given(st.text(alphabet="ABab01-_=+/ \n"))
def test_one_value_has_one_text(text: str) -> None:
    try:
        data = base64url.decode(text.encode())
    except ValueError:
        return
    assert text == base64.urlsafe_b64encode(data).rstrip(b"=").decode()
