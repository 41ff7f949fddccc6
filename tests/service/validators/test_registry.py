from __future__ import annotations

from pathlib import Path

import pytest

from service.errors import SettingsError
from service.validators import jwt
from service.validators.registry import BUILT_IN, find_factory


def test_a_built_in_kind_is_named_after_its_module() -> None:
    assert ["auto", "hybrid", "introspection", "jwt"] == list(BUILT_IN)
    assert jwt.build is find_factory("jwt")


def test_a_kind_can_be_an_import_path() -> None:
    assert jwt.build is find_factory("service.validators.jwt:build")


def test_a_kind_can_be_an_entry_point(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
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
        ("service.version:__version__", "expected a function"),
        (":build", "cannot be imported"),
    ],
)
def test_an_unknown_kind_is_rejected_with_the_known_ones(kind: str, word: str) -> None:
    with pytest.raises(SettingsError) as exc_info:
        find_factory(kind)
    assert word in str(exc_info.value)
