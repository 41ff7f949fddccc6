"""Reads the settings from command line, environment, ``.okta.env`` and TOML file, in this order of precedence."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pydantic
from pydantic_settings import DotEnvSettingsSource, EnvSettingsSource

from service.errors import SettingsError
from service.settings.issuers import IssuerSettings
from service.settings.program import SECRETS, Settings, by_field

DEFAULT_ENV_FILE = Path(".okta.env")
"""The file in which Okta's guides keep settings; read if it exists."""

_DERIVED = {
    "issuer": "org_url",
    "client_secret": "client_secret_file",
    "admin_token": "admin_token_file",
    "cache_secret": "cache_secret_file",
}
"""For each setting that can be derived, the setting from which it is derived."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LoadedSettings:
    """The settings, and the source of each one that is not a default."""

    settings: Settings
    origins: Mapping[str, str]


def load_settings(
    command_line: Mapping[str, Any], *, env_file: Path | None = None, config_file: Path | None = None
) -> LoadedSettings:
    """Read and merge all sources.

    Args:
        command_line: Settings by name; None means that the option was not given.
        env_file: A file of ``NAME=value`` lines; by default ``.okta.env`` if it exists.
        config_file: A TOML file.

    Raises:
        SettingsError: A setting is missing, misspelt or invalid; one sentence for each problem.
    """
    dotenv = _existing(env_file) or DEFAULT_ENV_FILE
    layers = {
        str(config_file): _read_toml(_existing(config_file)),
        str(dotenv): by_field(DotEnvSettingsSource(Settings, env_file=dotenv, env_file_encoding="utf-8")()),
        "environment": by_field(EnvSettingsSource(Settings)()),
        "command line": {name: value for name, value in command_line.items() if value is not None},
    }
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for origin, layer in layers.items():
        known = {name: value for name, value in layer.items() if name in Settings.model_fields}
        values |= known
        origins |= dict.fromkeys(known, origin)
    try:
        settings = Settings.model_validate(values)
    except pydantic.ValidationError as exc:
        raise SettingsError(
            list(_describe_errors(exc, origins))
        ) from None  # pydantic quotes values, which may be secret
    derived = {
        name: f"derived from {source}"
        for name, source in _DERIVED.items()
        if name not in origins and source in origins and getattr(settings, name) is not None
    }
    return LoadedSettings(settings=settings, origins=origins | derived)


def _existing(path: Path | None) -> Path | None:
    if path is not None and not path.is_file():
        raise SettingsError([f"{path}: no such file; name an existing file, or leave the option out"])
    return path


def _read_toml(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    try:
        values = tomllib.loads(path.read_text("utf-8"))
    except ValueError as exc:
        raise SettingsError([f"{path}: not valid TOML: {exc}"]) from exc
    unknown = sorted(values.keys() - Settings.model_fields.keys())
    if unknown:
        raise SettingsError([f"{path}: {_unknown_name(name, Settings.model_fields)}" for name in unknown])
    return values


def _unknown_name(name: str, known: Iterable[str]) -> str:
    close_matches = difflib.get_close_matches(name, list(known), n=1)
    return f"there is no setting {name!r}" + (f"; did you mean {close_matches[0]!r}?" if close_matches else "")


def _describe_errors(error: pydantic.ValidationError, origins: Mapping[str, str]) -> Iterable[str]:
    """Yield one line for each problem: key, source, value unless it may be secret, and what was expected."""
    for problem in error.errors(include_url=False, include_context=False):
        message = problem["msg"].removeprefix("Value error, ")
        if not problem["loc"]:
            yield from message.splitlines()
            continue
        name, *inner = map(str, problem["loc"])
        key = ".".join([name, *inner])
        origin = f" (from {origins[name]})" if name in origins else ""
        if problem["type"] == "extra_forbidden":
            yield f"{key}{origin}: {_unknown_name(inner[-1], IssuerSettings.model_fields)}"
            continue
        # A secret is not shown, nor is a whole table, which may contain one.
        may_be_shown = name not in SECRETS and isinstance(problem["input"], str | int | float | None)
        shown = f" was {problem['input']!r};" if may_be_shown else ""
        yield f"{key}{origin}:{shown} {message}"
