"""Detects that the content of files has changed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from pydantic import BaseModel

from service.settings.program import Settings

_NAMES = ("ca_file", "client_secret_file", "admin_token_file", "cache_secret_file", "private_key_file", "keys_file")
"""The settings that name a file of secrets or keys; each worker watches the certificates of its TLS itself."""


def secret_and_key_files(settings: Settings) -> frozenset[str]:
    """Return the paths of the secrets, keys and certificates that the settings name."""
    return frozenset(path for table in (settings, *settings.issuers) for path in _paths(table))


def _paths(settings: BaseModel) -> Iterator[str]:
    for name in _NAMES:
        path = getattr(settings, name, None)
        if isinstance(path, str) and path:
            yield path


class WatchedFiles:
    """Compares the content of files with that of the last time."""

    def __init__(self, paths: Iterable[str]) -> None:
        self._paths = sorted(paths)
        self._reported = self._seen = self._digests()

    def have_changed(self) -> bool:
        """Return whether the content has changed, once it is the same in two calls: it may be half written before."""
        digests = self._digests()
        is_stable = digests == self._seen
        self._seen = digests
        if not is_stable or digests == self._reported:
            return False
        self._reported = digests
        return True

    def _digests(self) -> list[bytes]:
        return [_digest(path) for path in self._paths]


def _digest(path: str) -> bytes:
    """Return a hash of the content, so that no secret is kept here; empty if it cannot be read."""
    try:
        return hashlib.sha256(Path(path).read_bytes()).digest()
    except (OSError, ValueError):  # ValueError: the path contains a null character
        return b""
