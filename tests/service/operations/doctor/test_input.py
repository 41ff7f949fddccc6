from __future__ import annotations

import pytest

from service.operations.doctor.input import describe_pasted_text, strip_pasted_text


@pytest.mark.parametrize(
    ("text", "remarks"),
    [
        ("a.b.c", 0),
        ("a.b.c\n", 1),
        ("Bearer a.b.c", 1),
        ("BEARER\ta.b.c", 1),
        ("authorization: a.b.c", 1),
        (" Authorization : Bearer  a.b.c ", 2),
    ],
)
def test_takes_the_token_out_and_says_so(text: str, remarks: int) -> None:
    token, said = strip_pasted_text(text)
    assert ("a.b.c", remarks) == (token, len(said))


@pytest.mark.parametrize("text", ["", "bearer", "bearera.b.c", "DPoP a.b.c"])
def test_leaves_what_is_no_wrapping(text: str) -> None:
    assert (text, []) == strip_pasted_text(text)


def test_has_words_for_whatever_is_wrong() -> None:
    assert "as it came from the issuer" in describe_pasted_text("a=b")
