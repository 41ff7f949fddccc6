"""Merges the sources of settings, and describes what is wrong with the result."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pydantic
from pydantic_core import ErrorDetails

from service.errors import SettingsError
from service.settings.names import SettingNames

ENVIRONMENT = "environment"
"""The name of the environment in messages."""
KEYWORDS = ""
"""The name of keyword arguments, which messages do not mention: the caller sees them in the traceback."""

_MAX_SHOWN_LENGTH = 200
"""Characters of a value that a message repeats."""


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
