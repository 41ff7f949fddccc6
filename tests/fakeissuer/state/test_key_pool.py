from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from fakeissuer.errors import SettingsError
from fakeissuer.state.key_pool import KeyPool


def test_a_key_is_generated_once(pool: KeyPool) -> None:
    assert pool.existing("default", "not generated") is None
    key = pool.key("default", "1")
    assert pool.key("default", "1") is key
    assert pool.existing("default", "1") is key


def test_the_file_is_created_with_mode_0600(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    KeyPool(file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_restart_loads_the_same_keys(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    first, second = KeyPool(file), KeyPool(file)
    made = [first.key("default", "1"), first.key("default", "EdDSA", alg="EdDSA", kind="Ed25519")]
    second = KeyPool(file)
    assert [second.key("default", "1").public, second.key("default", "EdDSA").public] == [key.public for key in made]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["keys.json"]


def test_a_file_that_others_can_read_is_rejected(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    KeyPool(file)
    file.chmod(0o644)
    with pytest.raises(SettingsError, match="chmod 600"):
        KeyPool(file)


@pytest.mark.parametrize(
    "content",
    ["", "[]", "{", '{"a/1": 1}', '{"a/1": {}}', '{"a/1": {"kid": "x", "alg": "RS256", "kind": "RSA", "kty": "RSA"}}'],
)
def test_a_file_without_keys_is_rejected(tmp_path: Path, content: str) -> None:
    file = tmp_path / "keys.json"
    file.write_text(content)
    file.chmod(0o600)
    with pytest.raises(SettingsError, match="does not hold keys"):
        KeyPool(file)


def test_a_public_key_and_an_unknown_kind_are_rejected(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    KeyPool(file).key("default", "1")
    held = json.loads(file.read_text())
    for change in ({"d": None}, {"kind": "RSA-512"}):
        members = {name: value for name, value in {**held["default/1"], **change}.items() if value is not None}
        file.write_text(json.dumps({"default/1": members}))
        with pytest.raises(SettingsError) as caught:
            KeyPool(file)
        assert held["default/1"]["q"] not in str(caught.value)


def test_an_unwritable_path_is_rejected(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be used"):
        KeyPool(tmp_path / "nowhere" / "keys.json")


def test_an_existing_link_is_not_written_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, seen = tmp_path / "keys.json", tmp_path / "seen"
    monkeypatch.setattr("fakeissuer.state.key_pool.random_text", lambda: "guessed")
    (tmp_path / "keys.json.guessed.new").symlink_to(seen)
    with pytest.raises(SettingsError, match="cannot be used"):
        KeyPool(file)
    assert not seen.exists()


def test_a_failed_write_leaves_no_temporary_file(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    pool = KeyPool(file)
    file.unlink()
    (file / "in the way").mkdir(parents=True)
    with pytest.raises(OSError, match=r"keys\.json"):
        pool.key("default", "EdDSA", alg="EdDSA", kind="Ed25519")
    assert [path.name for path in tmp_path.iterdir()] == ["keys.json"]
