"""The calls that read settings from keywords, the environment, TOML and ``.okta.env``, and merge these sources."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, Self

import pydantic
from pydantic import BaseModel, ConfigDict
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from service.errors import SettingsError
from service.settings.files import read_env_file, read_toml
from service.settings.names import SettingNames

ENVIRONMENT = "environment"
"""The name of the environment in messages."""
KEYWORDS = ""
"""The name of keyword arguments, which messages do not mention: the caller sees them in the traceback."""

_MAX_SHOWN_LENGTH = 200
"""Characters of a value that a message repeats."""
DEFAULT_ENV_FILE = Path(".okta.env")
"""The file in which Okta's guides keep settings."""


class ReadableSettings(BaseModel):
    """Reads the settings of a subclass.

    It is a base class, because type checkers would not know the keyword arguments of a class with ``__init__``.
    """

    model_config = ConfigDict(defer_build=True)

    def __init__(self, /, **values: Any) -> None:
        names = SettingNames(type(self).model_fields)
        environment = names.from_environment(os.environ)
        self._validate(merge([(ENVIRONMENT, environment), (KEYWORDS, names.by_field(values))], names=names))

    @classmethod
    def from_keywords(cls, /, **values: Any) -> Self:
        """Return the settings with these values; neither a file nor the environment is read.

        Raises:
            SettingsError: A setting is missing, misspelt or invalid; one sentence for each problem.
        """
        return cls._from_layers([], values)

    @classmethod
    def from_toml(cls, path: str | Path, /, **values: Any) -> Self:
        """Return the settings in a TOML file; keywords take precedence over the environment, and both over the file.

        Raises:
            SettingsError: The file cannot be read or is not TOML, or a setting is missing, misspelt or invalid; one
                sentence for each problem.
        """
        return cls._from_layers([(str(path), read_settings_file(path, read_toml)), cls._environment()], values)

    @classmethod
    def from_env_file(cls, path: str | Path = DEFAULT_ENV_FILE, /, **values: Any) -> Self:
        """Return the settings in a file of ``NAME=value`` lines, with the same precedence as ``from_toml``.

        Args:
            path: By default, the file of Okta's guides in the current folder.

        Raises:
            SettingsError: The file cannot be read or has lines of another form, or a setting is missing, misspelt or
                invalid; one sentence for each problem.
        """
        variables = read_settings_file(path, read_env_file)
        layer = SettingNames(cls.model_fields).from_env_file(variables)
        return cls._from_layers([(str(path), layer), cls._environment()], values)

    @classmethod
    def from_merged(cls, merged: MergedSettings) -> Self:
        """Return the settings with these values, whose sources are read already.

        Raises:
            SettingsError: A setting is missing or invalid; one sentence for each problem.
        """
        settings = cls.__new__(cls)
        settings._validate(merged)  # noqa: SLF001  # of this class
        return settings

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"settings cannot be changed; use a copy: settings.model_copy(update={{{name!r}: ...}})")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError("settings cannot be changed; use a copy: settings.model_copy()")

    @classmethod
    def _environment(cls) -> tuple[str, Mapping[str, str]]:
        return ENVIRONMENT, SettingNames(cls.model_fields).from_environment(os.environ)

    @classmethod
    def _from_layers(cls, layers: Iterable[tuple[str, Mapping[str, Any]]], values: Mapping[str, Any]) -> Self:
        names = SettingNames(cls.model_fields)
        return cls.from_merged(merge([*layers, (KEYWORDS, names.by_field(values))], names=names))

    def _validate(self, merged: MergedSettings) -> None:
        """Validate the values and set the attributes; raises SettingsError."""
        try:
            BaseModel.__init__(self, **merged.values)  # pydantic's own, which reads no environment
        except pydantic.ValidationError as exc:
            secrets = secret_names(type(self).model_fields)
            problems = list(describe_errors(exc, origins=merged.origins, secrets=secrets))
            raise SettingsError(problems) from None  # pydantic quotes values, which may be secret


def read_settings_file(path: str | Path, read: Callable[[Path], dict[str, Any]]) -> dict[str, Any]:
    """Return what a function reads from a file.

    Raises:
        SettingsError: It raises ValueError; one sentence for each line of its message.
    """
    try:
        return read(Path(path))
    except ValueError as exc:
        raise SettingsError(str(exc).splitlines()) from None


def secret_names(fields: Mapping[str, FieldInfo]) -> frozenset[str]:
    """Return the names of the settings whose values are never shown."""
    return frozenset(name for name, info in fields.items() if "SecretStr" in str(info.annotation))


@dataclass(frozen=True, kw_only=True, slots=True)
class MergedSettings:
    """The values of all sources, and the source of each value; both by the name of the setting."""

    values: Mapping[str, Any]
    origins: Mapping[str, str]


def merge(layers: Iterable[tuple[str, Mapping[str, Any]]], *, names: SettingNames) -> MergedSettings:
    """Return the values of all sources; each source overrides the ones before it.

    Raises:
        SettingsError: A source has a name that is not a setting; one sentence for each.
    """
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    unknown: list[str] = []
    for origin, layer in layers:
        start = f"{origin}: " if origin else ""
        unknown += [f"{start}{problem}" for problem in names.find_unknown(layer)]
        values |= layer
        origins |= dict.fromkeys(layer, origin)
    if unknown:
        raise SettingsError(unknown)
    return MergedSettings(values=values, origins=origins)


def describe_errors(
    error: pydantic.ValidationError, *, origins: Mapping[str, str], secrets: Collection[str]
) -> Iterator[str]:
    """Yield one line for each problem: key, source, value unless it may be secret, and what was expected."""
    for problem in error.errors(include_url=False, include_context=False):
        name, *inner = map(str, problem["loc"] or [""])
        origin = f" (from {origins[name]})" if origins.get(name) else ""
        start = f"{'.'.join([name, *inner])}{origin}:{_show_input(problem, secrets)} " if name else ""
        for line in problem["msg"].removeprefix("Value error, ").split("\n"):
            yield start + line


def _show_input(problem: ErrorDetails, secrets: Collection[str]) -> str:
    """Return the wrong value, unless it may be secret or a whole table."""
    location, value = problem["loc"], problem["input"]
    if not set(secrets).isdisjoint(location) or (location[0] == "issuers" and len(location) < 3):
        return ""
    if isinstance(value, str):
        return f" was {value!r};" if len(value) <= _MAX_SHOWN_LENGTH else ""
    is_short = isinstance(value, float | None) or (isinstance(value, int) and value.bit_length() <= 64)
    return f" was {value!r};" if is_short else ""
