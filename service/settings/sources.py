"""Where the settings come from: command line over environment over ``.okta.env`` over a TOML file over defaults."""

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
"""The file in which Okta's guides keep settings; read when it is there."""

_DERIVED = {"issuer": "org_url", "client_secret": "client_secret_file", "admin_token": "admin_token_file"}
"""Settings that another one brings about where they are not set themselves."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LoadedSettings:
    """The settings, and where each one that is not a default was found."""

    settings: Settings
    origins: Mapping[str, str]


def load_settings(
    command_line: Mapping[str, Any], *, env_file: Path | None = None, config_file: Path | None = None
) -> LoadedSettings:
    """Read every source once, the strongest last.

    Args:
        command_line: Settings by name; None means that the option was not given.
        env_file: A file of ``NAME=value`` lines; by default ``.okta.env`` where there is one.
        config_file: A TOML file.

    Raises:
        SettingsError: Something is missing, misspelt or impossible; one sentence for each problem.
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
        ) from None  # pydantic quotes values, and some are secret
    derived = {
        name: f"derived from {source}"
        for name, source in _DERIVED.items()
        if name not in origins and source in origins and getattr(settings, name) is not None
    }
    return LoadedSettings(settings=settings, origins=origins | derived)


def _existing(path: Path | None) -> Path | None:
    if path is not None and not path.is_file():
        raise SettingsError([f"{path}: there is no such file; name one that exists, or leave the option out"])
    return path


def _read_toml(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    try:
        values = tomllib.loads(path.read_text("utf-8"))
    except ValueError as exc:
        raise SettingsError([f"{path}: it is not TOML: {exc}"]) from exc
    unknown = sorted(values.keys() - Settings.model_fields.keys())
    if unknown:
        raise SettingsError([f"{path}: {_unknown_name(name, Settings.model_fields)}" for name in unknown])
    return values


def _unknown_name(name: str, known: Iterable[str]) -> str:
    close_matches = difflib.get_close_matches(name, list(known), n=1)
    return f"there is no setting {name!r}" + (f"; did you mean {close_matches[0]!r}?" if close_matches else "")


def _describe_errors(error: pydantic.ValidationError, origins: Mapping[str, str]) -> Iterable[str]:
    """Return one line a problem: the key, where it was found, what it was unless that is secret, what was expected."""
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
        # A value may be shown unless it is a secret, or a whole table, which could hold one.
        may_be_shown = name not in SECRETS and isinstance(problem["input"], str | int | float | None)
        shown = f" was {problem['input']!r};" if may_be_shown else ""
        yield f"{key}{origin}:{shown} {message}"
