"""Reads the settings from command line, environment, ``.okta.env`` and TOML file, in this order of precedence."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from service.settings.files import read_env_file, read_toml
from service.settings.names import SettingNames
from service.settings.program import Settings
from service.settings.reading import DEFAULT_ENV_FILE, ENVIRONMENT, merge, read_settings_file

_DERIVED = {
    "issuer": "org_url",
    "profile": "org_url",
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
    """Read and merge all sources of the program.

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
    layers: list[tuple[str, Mapping[str, Any]]] = []
    if config_file is not None:
        layers.append((str(config_file), read_settings_file(config_file, read_toml)))
    if env_file is not None:
        layers.append((str(env_file), names.from_env_file(read_settings_file(env_file, read_env_file))))
    layers.append((ENVIRONMENT, names.from_environment(os.environ)))
    layers.append(("command line", {name: value for name, value in command_line.items() if value is not None}))
    merged = merge(layers, names=names)
    settings = Settings.from_merged(merged)
    derived = {
        name: f"derived from {source}"
        for name, source in _DERIVED.items()
        if name not in merged.origins and source in merged.origins and getattr(settings, name) is not None
    }
    return LoadedSettings(settings=settings, origins={**merged.origins, **derived})
