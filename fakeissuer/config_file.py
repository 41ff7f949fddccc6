"""`--config FILE`: other servers, clients and users to start with, in TOML, as the control plane takes them.

::

    [servers.orders]
    audience = "api://orders"
    scopes = ["orders:read", "orders:write"]
    default_scopes = ["orders:read"]

    [users."carol@example.com"]
    groups = ["Everyone", "Auditors"]
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from fakeissuer.directory import Directory, EntryKind
from fakeissuer.errors import SettingsError, Unacceptable

KINDS: tuple[EntryKind, ...] = ("servers", "clients", "users")


def read_config(file: Path) -> dict[EntryKind, dict[str, dict[str, Any]]]:
    """Return the entries by kind and name.

    Raises:
        SettingsError: the file cannot be read, is not TOML, or holds something else.
    """
    try:
        tables = tomllib.loads(file.read_text("utf-8"))
    except OSError as exc:
        raise SettingsError([f"--config: {file} cannot be read: {exc.strerror}"]) from exc
    except ValueError as exc:
        raise SettingsError([f"--config: {file} is not TOML: {exc}"]) from exc
    problems = [
        f"--config: {name} is not known; expected tables {', '.join(KINDS)}" for name in tables.keys() - set(KINDS)
    ]
    for kind in KINDS:
        entries = tables.get(kind, {})
        if not isinstance(entries, dict) or not all(isinstance(entry, dict) for entry in entries.values()):
            problems.append(f"--config: {kind} is not a table of tables; expected [{kind}.name]")
    if problems:
        raise SettingsError(sorted(problems))
    return {kind: tables.get(kind, {}) for kind in KINDS}


def configure(directory: Directory, entries: dict[EntryKind, dict[str, dict[str, Any]]]) -> None:
    """Add the entries to a directory, or put them in the place of those of the same name.

    Raises:
        SettingsError: one line for each entry that is not accepted.
    """
    problems = []
    for kind, by_name in entries.items():
        for name, members in by_name.items():
            try:
                directory.put(kind, name, members)
            except Unacceptable as exc:
                problems.append(f"--config: {kind}.{name}: {exc}")
    if problems:
        raise SettingsError(problems)
