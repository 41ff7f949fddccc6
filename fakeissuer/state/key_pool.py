"""The key pairs that were ever made, kept so that ``reset`` makes the same keys come back without making any.

With a file behind it, a restart finds the same keys again.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from fakeissuer.errors import SettingsError
from fakeissuer.model.identifiers import random_text

if TYPE_CHECKING:
    from fakeissuer.jose.keys import SigningKey


class KeyPool:
    """Key pairs by server and by their name on that server, each made when it is first asked for."""

    def __init__(self, file: Path | None = None) -> None:
        """Start empty, or with what the file holds; a file that is not there is created.

        Raises:
            SettingsError: the file cannot be read or written, others may read it, or it holds something else.
        """
        self._keys: dict[str, SigningKey] = {}
        self._file = file
        if file is not None:
            self._load(file)

    def key(self, server: str, name: str, *, alg: str = "RS256", kind: str = "RSA") -> SigningKey:
        """Return the key of that name; alg and kind matter when it is made."""
        name_in_pool = f"{server}/{name}"
        if name_in_pool not in self._keys:
            from fakeissuer.jose import keys  # noqa: PLC0415  # 130 ms of imports that discovery does not need

            self._keys[name_in_pool] = keys.create_key(random_text(), alg, kind)
            self._save()
        return self._keys[name_in_pool]

    def existing(self, server: str, name: str) -> SigningKey | None:
        """Return the key of that name if there is one yet."""
        return self._keys.get(f"{server}/{name}")

    def _load(self, file: Path) -> None:
        try:
            if not file.exists():
                self._save()
                return
            if file.stat().st_mode & 0o077:
                raise SettingsError([f"--keys: others may read {file}; expected a file of mode 0600: chmod 600 {file}"])
            stored = json.loads(file.read_text("utf-8"))
            from fakeissuer.jose import keys  # noqa: PLC0415  # as above

            self._keys = {name_in_pool: keys.load_key(members) for name_in_pool, members in stored.items()}
        except OSError as exc:
            raise SettingsError([f"--keys: {file} cannot be used: {exc.strerror}"]) from exc
        except (ValueError, AttributeError, TypeError) as exc:
            expected = "expected a file that this program wrote, or none, to have one made"
            raise SettingsError([f"--keys: {file} does not hold keys; {expected}"]) from exc

    def _save(self) -> None:
        if self._file is None:
            return
        stored = {}
        if self._keys:
            from fakeissuer.jose import keys  # noqa: PLC0415  # as above

            stored = {name_in_pool: keys.dump_key(key) for name_in_pool, key in self._keys.items()}
        # Written beside and then moved, so that a reader never meets half a file; nobody else may read it, ever.
        temporary = self._file.with_name(f"{self._file.name}.{random_text()}.new")
        # A file or a link that somebody else has put there already is not written to: they could read it then.
        opened = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        try:
            with os.fdopen(opened, "w", encoding="utf-8") as out:
                json.dump(stored, out, indent=1)
            temporary.replace(self._file)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
