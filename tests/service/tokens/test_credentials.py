from __future__ import annotations

from service.tokens.credentials import Credentials


def test_repr_hides_the_token() -> None:
    assert "secret" not in repr(Credentials(scheme="Bearer", token="secret"))
