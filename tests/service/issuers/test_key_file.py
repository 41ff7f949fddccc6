from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from service.errors import IssuerUnavailable
from service.issuers import key_file
from service.issuers.key_file import key_file_policy, read_key_file
from service.issuers.refreshing import RefreshPolicy


@pytest.mark.parametrize("prefix", [b"", b"\xef\xbb\xbf"])
@pytest.mark.gen_test
async def test_the_document_is_returned_with_or_without_a_byte_order_mark(prefix: bytes, tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    file.write_bytes(prefix + b'{"keys": []}')
    assert {"keys": []} == await read_key_file(str(file))


@pytest.mark.gen_test
async def test_a_file_that_cannot_be_read_makes_the_issuer_unavailable(tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(b" " * (512 * 1024 + 1))
    (tmp_path / "list").write_text("[]")
    os.mkfifo(tmp_path / "pipe")
    for name, reason in {
        "missing": "no such file",
        "": "not a file",
        "pipe": "not a file",
        "large": "more than 524288 bytes",
        "list": "not an object",
    }.items():
        path = str(tmp_path / name)
        with pytest.raises(IssuerUnavailable, match=reason) as failure:
            await read_key_file(path)
        assert failure.value.detail.startswith(f"{path}: ")


@pytest.mark.gen_test
async def test_a_file_system_that_blocks_does_not_block_the_event_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_file, "_READ_TIMEOUT", 0.01)
    monkeypatch.setattr(key_file, "read_keys_file", lambda _path: time.sleep(0.2))
    with pytest.raises(IssuerUnavailable, match="not read within"):
        await read_key_file("keys.json")


def test_a_file_is_read_again_soon_and_its_keys_outlive_a_failure_as_long_as_others() -> None:
    policy = key_file_policy(RefreshPolicy(stale_if_error=7.0))
    assert (2.0, 2.0, 7.0) == (policy.age(None), policy.age(3600.0), policy.stale_if_error)
