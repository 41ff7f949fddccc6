"""All generated key pairs; they survive a reset, and with a file also a restart."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from fakeissuer.errors import SettingsError
from fakeissuer.model.identifiers import random_text

if TYPE_CHECKING:
    from fakeissuer.jose.keys import SigningKey


class KeyPool:
    """Key pairs by server and by their name on that server, each generated on first use.

    ``complete`` sets the key ID and certificate of each RSA key. A file that does not exist is created.

    Raises:
        SettingsError: the file cannot be read or written, is readable for other users, or does not hold keys.
    """

    def __init__(self, file: Path | None = None, complete: Callable[[SigningKey], SigningKey] | None = None) -> None:
        self._complete = complete
        self._keys: dict[str, SigningKey] = {}
        self._file = file
        if file is not None:
            self._load(file)

    def key(self, server: str, name: str, *, alg: str = "RS256", kind: str = "RSA") -> SigningKey:
        """Return the key of that name; ``alg`` and ``kind`` apply when it is generated."""
        name_in_pool = f"{server}/{name}"
        if name_in_pool not in self._keys:
            from fakeissuer.jose import keys  # noqa: PLC0415  # slow to import, needed with the first key

            self._keys[name_in_pool] = self._completed(keys.create_key(random_text(), alg, kind))
            self._save()
        return self._keys[name_in_pool]

    def existing(self, server: str, name: str) -> SigningKey | None:
        """Return the key of that name, or None if it was not generated yet."""
        return self._keys.get(f"{server}/{name}")

    def _completed(self, key: SigningKey) -> SigningKey:
        return key if self._complete is None or key.kind != "RSA" else self._complete(key)

    def _load(self, file: Path) -> None:
        try:
            if not file.exists():
                self._save()
                return
            if not file.is_file():
                raise SettingsError([f"--keys: {file} is not a file; name one, which is created if it is not there"])
            if file.stat().st_mode & 0o077:
                raise SettingsError([f"--keys: other users can read {file}; expected mode 0600: chmod 600 {file}"])
            stored = json.loads(file.read_text("utf-8"))
            from fakeissuer.jose import keys  # noqa: PLC0415  # as above

            self._keys = {
                name_in_pool: self._completed(keys.load_key(members)) for name_in_pool, members in stored.items()
            }
        except OSError as exc:
            raise SettingsError([f"--keys: {file} cannot be used: {exc.strerror}"]) from exc
        except (ValueError, AttributeError, TypeError) as exc:
            expected = "expected a file that this program wrote, or a path where it can create one"
            raise SettingsError([f"--keys: {file} does not hold keys; {expected}"]) from exc

    def _save(self) -> None:
        if self._file is None:
            return
        stored = {}
        if self._keys:
            from fakeissuer.jose import keys  # noqa: PLC0415  # as above

            stored = {name_in_pool: keys.dump_key(key) for name_in_pool, key in self._keys.items()}
        # A private temporary file is renamed, so that a reader never sees a partial file.
        temporary = self._file.with_name(f"{self._file.name}.{random_text()}.new")
        # An existing file or link is not reused: another user could have created it to read the keys.
        opened = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        try:
            with os.fdopen(opened, "w", encoding="utf-8") as out:
                json.dump(stored, out, indent=1)
            temporary.replace(self._file)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
