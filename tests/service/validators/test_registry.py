from __future__ import annotations

from pathlib import Path

import pytest

from service.errors import SettingsError
from service.validators import jwt
from service.validators.registry import BUILT_IN, find_factory


def test_a_file_is_a_kind() -> None:
    assert ["auto", "hybrid", "introspection", "jwt"] == list(BUILT_IN)
    assert jwt.build is find_factory("jwt")


def test_a_third_party_names_its_factory() -> None:
    assert jwt.build is find_factory("service.validators.jwt:build")


def test_a_package_registers_a_kind_by_an_entry_point(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    info = tmp_path / "toys-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: toys\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[service.validators]\ntoy = service.validators.jwt:build\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert jwt.build is find_factory("toy")
    with pytest.raises(SettingsError, match="expected auto, hybrid, introspection, jwt, toy"):
        find_factory("tyo")


@pytest.mark.parametrize(
    ("kind", "word"),
    [
        ("jtw", "did you mean 'jwt'?"),
        ("base", "expected auto, hybrid, introspection, jwt"),
        ("registry", "expected auto, hybrid, introspection, jwt"),
        ("", "expected auto, hybrid, introspection, jwt"),
        ("no.such.module:build", "cannot be imported"),
        ("service.validators.jwt:missing", "cannot be imported"),
        ("service.version:__version__", "something to call"),
        (":build", "cannot be imported"),
    ],
)
def test_a_typo_is_refused_with_what_there_is(kind: str, word: str) -> None:
    with pytest.raises(SettingsError) as refusal:
        find_factory(kind)
    assert word in str(refusal.value)
