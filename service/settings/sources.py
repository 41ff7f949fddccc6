"""Reads the settings from command line, environment, ``.okta.env`` and TOML file, in this order of precedence."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pydantic
from pydantic_core import ErrorDetails

from service.errors import SettingsError
from service.settings.files import read_env_file, read_toml
from service.settings.names import SettingNames
from service.settings.program import SECRETS, Settings

DEFAULT_ENV_FILE = Path(".okta.env")
"""The file in which Okta's guides keep settings; read if it exists."""

_DERIVED = {
    "issuer": "org_url",
    "profile": "org_url",
    "client_secret": "client_secret_file",
    "admin_token": "admin_token_file",
    "cache_secret": "cache_secret_file",
}
"""For each setting that can be derived, the setting from which it is derived."""
_MAX_SHOWN_LENGTH = 200
"""Characters of a value that a message repeats."""


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
    if env_file is None and DEFAULT_ENV_FILE.exists():
        env_file = DEFAULT_ENV_FILE
    names = SettingNames(Settings.model_fields)
    layers = {
        str(config_file): _read_file(config_file, read_toml),
        str(env_file): names.from_environment(_read_file(env_file, read_env_file)),
        "environment": names.from_environment(os.environ),
        "command line": {name: value for name, value in command_line.items() if value is not None},
    }
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    unknown: list[str] = []
    for origin, layer in layers.items():
        unknown += [f"{origin}: {problem}" for problem in names.find_unknown(layer)]
        values |= layer
        origins |= dict.fromkeys(layer, origin)
    if unknown:
        raise SettingsError(unknown)
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


def _read_file(path: Path | None, read: Callable[[Path], dict[str, Any]]) -> dict[str, Any]:
    if path is None:
        return {}
    try:
        return read(path)
    except ValueError as exc:
        raise SettingsError(str(exc).splitlines()) from None


def _describe_errors(error: pydantic.ValidationError, origins: Mapping[str, str]) -> Iterator[str]:
    """Yield one line for each problem: key, source, value unless it may be secret, and what was expected."""
    for problem in error.errors(include_url=False, include_context=False):
        name, *inner = map(str, problem["loc"] or [""])
        origin = f" (from {origins[name]})" if name in origins else ""
        start = f"{'.'.join([name, *inner])}{origin}:{_show_input(problem)} " if name else ""
        for line in problem["msg"].removeprefix("Value error, ").split("\n"):
            yield start + line


def _show_input(problem: ErrorDetails) -> str:
    """Return the wrong value, unless it may be secret or a whole table."""
    location, value = problem["loc"], problem["input"]
    if not SECRETS.isdisjoint(location) or (location[0] == "issuers" and len(location) < 3):
        return ""
    if isinstance(value, str):
        return f" was {value!r};" if len(value) <= _MAX_SHOWN_LENGTH else ""
    is_short = isinstance(value, float | None) or (isinstance(value, int) and value.bit_length() <= 64)
    return f" was {value!r};" if is_short else ""
