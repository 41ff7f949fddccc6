"""``--config FILE``: more servers, clients and users in TOML, with the members of the control plane.

::

    [servers.orders]
    audience = "api://orders"
    scopes = ["orders:read", "orders:write"]
    default_scopes = ["orders:read"]

    [users."carol@example.com"]
    groups = ["Everyone", "Auditors"]

    [variants]
    unknown_client_status = 400
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from fakeissuer.errors import InvalidRequestError, SettingsError
from fakeissuer.model.records import Record, to_record
from fakeissuer.model.registry import Registry, ResourceKind
from fakeissuer.profiles.profile import Variants
from fakeissuer.state.seed import seed

_NAME_MEMBERS: dict[ResourceKind, str] = {"servers": "id", "clients": "id", "users": "login"}

_KINDS: tuple[ResourceKind, ...] = ("servers", "clients", "users")


_VARIANTS = "variants"
"""The table of ``fakeissuer.profiles.profile.Variants``."""


@dataclass(frozen=True, kw_only=True)
class Config:
    """The content of a file: resources by kind and name, including their secrets, and variants."""

    resources: dict[ResourceKind, dict[str, dict[str, Any]]] = field(default_factory=dict, repr=False)
    variants: Variants = field(default_factory=Variants)


def read_config(file: Path) -> Config:
    """Return the content of the file.

    Raises:
        SettingsError: the file cannot be read, is not TOML, or has unknown or malformed tables.
    """
    try:
        tables = tomllib.loads(file.read_text("utf-8"))
    except OSError as exc:
        raise SettingsError([f"--config: {file} cannot be read: {exc.strerror}"]) from exc
    except ValueError as exc:
        raise SettingsError([f"--config: {file} is not TOML: {exc}"]) from exc
    problems = [
        f"--config: {name} is not known; expected tables {', '.join((*_KINDS, _VARIANTS))}"
        for name in tables.keys() - {*_KINDS, _VARIANTS}
    ]
    for kind in _KINDS:
        resources = tables.get(kind, {})
        if not isinstance(resources, dict) or not all(isinstance(resource, dict) for resource in resources.values()):
            problems.append(f"--config: {kind} is not a table of tables; expected [{kind}.name]")
    variants = _variants(tables.get(_VARIANTS, {}), problems)
    if problems:
        raise SettingsError(sorted(problems))
    return Config(resources={kind: tables.get(kind, {}) for kind in _KINDS}, variants=variants)


def _variants(table: Any, problems: list[str]) -> Variants:
    if not isinstance(table, dict):
        problems.append(f"--config: {_VARIANTS} is not a table; expected [{_VARIANTS}]")
        return Variants()
    try:
        variants: Variants = to_record(table, Variants)
    except InvalidRequestError as exc:
        problems.append(f"--config: {_VARIANTS}: {exc}")
        return Variants()
    return variants


def seeded_config() -> str:
    """Return the initial configuration as a file for ``--config``; it omits the org server, which always exists."""
    import tomli_w  # noqa: PLC0415  # only this command writes TOML

    registry = seed("")
    resources = {kind: getattr(registry, kind) for kind in _KINDS}
    resources["servers"] = {name: server for name, server in registry.servers.items() if not server.is_org}
    tables: dict[str, Any] = {
        kind: {name: _members(resource, _NAME_MEMBERS[kind]) for name, resource in by_name.items()}
        for kind, by_name in resources.items()
    }
    return tomli_w.dumps(tables, multiline_strings=False)


def _members(resource: Record, name_member: str) -> dict[str, Any]:
    members: dict[str, Any] = msgspec.to_builtins(resource)
    del members[name_member]
    return {name: _without_null(value) for name, value in members.items() if value not in (None, {})}


def _without_null(value: Any) -> Any:
    # TOML has no null; an absent member means the same.
    if isinstance(value, dict):
        return {name: _without_null(inner) for name, inner in value.items() if inner not in (None, {})}
    return [_without_null(inner) for inner in value] if isinstance(value, list | tuple) else value


def configure(registry: Registry, config: Config) -> None:
    """Add or replace the resources of a registry.

    Raises:
        SettingsError: resources are invalid; one line for each.
    """
    problems = []
    for kind in reversed(_KINDS):  # a policy may refer to clients and groups of the same file
        by_name = config.resources.get(kind, {})
        for name, members in by_name.items():
            try:
                registry.put(kind, name, members)
            except InvalidRequestError as exc:
                problems.append(f"--config: {kind}.{name}: {exc}")
    if problems:
        raise SettingsError(problems)
