from __future__ import annotations

from pathlib import Path

from service.operations.processes.watched_files import WatchedFiles, secret_and_key_files
from service.settings.program import Settings


def test_a_change_is_reported_once_and_only_when_it_is_complete(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text("old")
    files = WatchedFiles([str(path), str(tmp_path / "missing"), "a\0b"])
    assert not files.have_changed()
    path.write_text("half")
    assert not files.have_changed()
    path.write_text("whole")
    assert not files.have_changed()
    assert files.have_changed()
    assert not files.have_changed()
    path.touch()
    assert not files.have_changed()


def test_a_change_that_is_undone_is_none(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text("old")
    files = WatchedFiles([str(path)])
    path.unlink()
    assert not files.have_changed()
    path.write_text("old")
    assert not files.have_changed()
    assert not files.have_changed()


def test_the_files_of_all_issuers_are_watched(tmp_path: Path) -> None:
    names = ("secret", "other", "admin", "cache")
    for name in names:
        (tmp_path / name).write_text(f"{name}-0123456789-abcdefghijklmnopqrst")
    settings = Settings.from_keywords(
        issuer="https://one.example",
        audience="api",
        client_id="a",
        client_secret_file=str(tmp_path / "secret"),
        admin_token_file=str(tmp_path / "admin"),
        cache_secret_file=str(tmp_path / "cache"),
        issuers=[
            {
                "issuer": "https://two.example",
                "audience": "api",
                "client_id": "b",
                "client_secret_file": str(tmp_path / "other"),
            }
        ],
    )
    assert {str(tmp_path / name) for name in names} == secret_and_key_files(settings)
