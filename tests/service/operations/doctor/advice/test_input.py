from __future__ import annotations

import pytest

from service.operations.doctor.advice.input import describe_pasted_text, strip_pasted_text


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
def test_the_token_is_extracted_from_pasted_text(text: str, remarks: int) -> None:
    token, found = strip_pasted_text(text)
    assert ("a.b.c", remarks) == (token, len(found))


@pytest.mark.parametrize("text", ["", "bearer", "bearera.b.c", "DPoP a.b.c"])
def test_other_text_is_unchanged(text: str) -> None:
    assert (text, []) == strip_pasted_text(text)


def test_every_mistake_is_described() -> None:
    assert "exactly as issued" in describe_pasted_text("a=b")
