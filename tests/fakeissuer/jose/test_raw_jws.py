from __future__ import annotations

import pytest

from fakeissuer.jose.raw_jws import base64url


@pytest.mark.parametrize(("data", "text"), [(b"", ""), (b"\xfb\xff", "-_8"), (b"fo", "Zm8"), (b"foo", "Zm9v")])
def test_base64url_has_its_own_alphabet_and_no_padding(data: bytes, text: str) -> None:
    assert text == base64url(data)
