from __future__ import annotations

from service.tokens.credentials import Credentials


def test_hide_the_token() -> None:
    assert "secret" not in repr(Credentials(scheme="Bearer", token="secret"))
