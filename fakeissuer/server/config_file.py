"""`--config FILE`: other servers, clients and users to start with, in TOML, as the control plane takes them.

::

    [servers.orders]
    audience = "api://orders"
    scopes = ["orders:read", "orders:write"]
    default_scopes = ["orders:read"]

    [users."carol@example.com"]
    groups = ["Everyone", "Auditors"]

    [unknowns]
    unknown_client_status = 400
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from fakeissuer.errors import SettingsError, Unacceptable
from fakeissuer.model.profiles import Unknowns
from fakeissuer.model.records import Record, accept
from fakeissuer.model.registry import Directory, EntryKind
from fakeissuer.state.seed import seed

_NAMED_BY: dict[EntryKind, str] = {"servers": "id", "clients": "id", "users": "login"}

KINDS: tuple[EntryKind, ...] = ("servers", "clients", "users")


UNKNOWNS = "unknowns"
"""The table of `fakeissuer.model.profiles.Unknowns`."""


@dataclass(frozen=True, kw_only=True)
class Config:
    """What a file says: entries by kind and name, with their secrets, and what is switched."""

    entries: dict[EntryKind, dict[str, dict[str, Any]]] = field(default_factory=dict, repr=False)
    unknowns: Unknowns = field(default_factory=Unknowns)


def read_config(file: Path) -> Config:
    """Return what the file says.

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
        f"--config: {name} is not known; expected tables {', '.join((*KINDS, UNKNOWNS))}"
        for name in tables.keys() - {*KINDS, UNKNOWNS}
    ]
    for kind in KINDS:
        entries = tables.get(kind, {})
        if not isinstance(entries, dict) or not all(isinstance(entry, dict) for entry in entries.values()):
            problems.append(f"--config: {kind} is not a table of tables; expected [{kind}.name]")
    unknowns = _unknowns(tables.get(UNKNOWNS, {}), problems)
    if problems:
        raise SettingsError(sorted(problems))
    return Config(entries={kind: tables.get(kind, {}) for kind in KINDS}, unknowns=unknowns)


def _unknowns(table: Any, problems: list[str]) -> Unknowns:
    if not isinstance(table, dict):
        problems.append(f"--config: {UNKNOWNS} is not a table; expected [{UNKNOWNS}]")
        return Unknowns()
    try:
        unknowns: Unknowns = accept(table, Unknowns)
    except Unacceptable as exc:
        problems.append(f"--config: {UNKNOWNS}: {exc}")
        return Unknowns()
    return unknowns


def seeded_config() -> str:
    """Return what every fake issuer starts with, as a file for `--config`; the org server is always there."""
    import tomli_w  # noqa: PLC0415 - only this command writes

    directory = seed("")
    entries = {kind: getattr(directory, kind) for kind in KINDS}
    entries["servers"] = {name: server for name, server in directory.servers.items() if not server.is_org}
    tables: dict[str, Any] = {
        kind: {name: _members(entry, _NAMED_BY[kind]) for name, entry in by_name.items()}
        for kind, by_name in entries.items()
    }
    return tomli_w.dumps(tables, multiline_strings=False)


def _members(entry: Record, name_member: str) -> dict[str, Any]:
    members: dict[str, Any] = msgspec.to_builtins(entry)
    del members[name_member]
    return {name: _without_nothing(value) for name, value in members.items() if value not in (None, {})}


def _without_nothing(value: Any) -> Any:
    # TOML has no null: what is left out is what it would mean.
    if isinstance(value, dict):
        return {name: _without_nothing(inner) for name, inner in value.items() if inner not in (None, {})}
    return [_without_nothing(inner) for inner in value] if isinstance(value, list | tuple) else value


def configure(directory: Directory, config: Config) -> None:
    """Add the entries to a directory, or put them in the place of those of the same name.

    Raises:
        SettingsError: one line for each entry that is not accepted.
    """
    problems = []
    for kind in reversed(KINDS):  # a policy may name the clients and the groups of users of the same file
        by_name = config.entries.get(kind, {})
        for name, members in by_name.items():
            try:
                directory.put(kind, name, members)
            except Unacceptable as exc:
                problems.append(f"--config: {kind}.{name}: {exc}")
    if problems:
        raise SettingsError(problems)
