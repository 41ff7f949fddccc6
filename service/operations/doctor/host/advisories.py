"""Compares the installed packages with a list of known advisories, which the operator has brought along.

The service never fetches such a list itself: a service that may reach the internet for that could be made to.
Two formats are understood: the output of ``pip-audit --format json``, and records in the format of OSV, one or a list.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from service.errors import SettingsError
from service.operations.doctor.report import Finding, fail, ok
from service.settings.files import read_text, show_path

_DISTRIBUTION = "tornado-resource-server"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*", re.ASCII)
_EXPECTED = "expected the output of pip-audit --format json, or OSV records for PyPI"


class _Advisory(NamedTuple):
    """One advisory about one version of a package."""

    identifier: str
    package: str
    fixed: tuple[str, ...]


def read_advisories(path: Path) -> Any:
    """Return the content of a file with advisories.

    Raises:
        SettingsError: It cannot be read, or has another format.
    """
    try:
        document = json.loads(read_text(path))
        list(_find_all(document, {}))
    except (json.JSONDecodeError, RecursionError, KeyError, TypeError, AttributeError):
        raise SettingsError([f"--advisories: {show_path(path)}: {_EXPECTED}"]) from None
    except ValueError as exc:
        raise SettingsError([f"--advisories: {exc}"]) from None
    return document


def check_advisories(document: Any) -> Iterator[Finding]:
    """Yield a finding for each advisory about an installed version of our distribution or what it requires."""
    about = "advisories"
    installed = installed_packages()
    found = sorted(set(_find_all(document, installed)))
    for each in found:
        text = f"{each.package} {installed[each.package]} has the advisory {each.identifier}"
        advice = (
            f"upgrade {each.package} to {' or '.join(each.fixed)}" if each.fixed else "there is no fixed version yet"
        )
        yield fail(about, text, advice)
    if not found:
        yield ok(about, f"none in this file about {len(installed)} packages of this service")


def installed_packages() -> dict[str, str]:
    """Return the versions of our distribution and of all that it requires, extras included where they are installed."""
    versions: dict[str, str] = {}
    pending = [_DISTRIBUTION]
    while pending:
        name = canonicalize_name(pending.pop())
        if name in versions:
            continue
        try:
            distribution = metadata.distribution(name)
        except metadata.PackageNotFoundError:  # of an extra that is not installed, or of another platform
            continue
        versions[name] = distribution.version
        pending += [match[0] for text in distribution.requires or () if (match := _NAME.match(text))]
    return versions


def _find_all(document: Any, installed: Mapping[str, str]) -> Iterator[_Advisory]:
    if isinstance(document, dict) and "dependencies" in document:
        for dependency in document["dependencies"]:
            name = canonicalize_name(dependency["name"])
            if "skip_reason" not in dependency and dependency["version"] == installed.get(name):
                for one in dependency["vulns"]:
                    yield _Advisory(str(one["id"]), name, tuple(map(str, one.get("fix_versions", ()))))
        return
    records = document if isinstance(document, list) else document.get("vulns", [document])
    for record in records:
        yield from _read_osv(record, installed)


def _read_osv(record: Mapping[str, Any], installed: Mapping[str, str]) -> Iterator[_Advisory]:
    identifier = str(record["id"])
    if "withdrawn" in record:
        return
    for affected in record["affected"]:
        package = affected["package"]
        name = canonicalize_name(package["name"])
        ranges = [events["events"] for events in affected.get("ranges", ()) if events["type"] == "ECOSYSTEM"]
        version = installed.get(name) if package["ecosystem"].partition(":")[0] == "PyPI" else None
        if version is None:
            continue
        if version in affected.get("versions", ()) or any(_is_within(version, events) for events in ranges):
            fixed = [event["fixed"] for events in ranges for event in events if "fixed" in event]
            yield _Advisory(identifier, name, tuple(map(str, fixed)))


def _is_within(text: str, events: Any) -> bool:
    """Return whether a version is affected according to the events of a range; in doubt, it is."""
    try:
        version = Version(text)
        # Of several events at one version, "introduced" comes first: the range would be empty otherwise.
        ordered = sorted(
            (Version(value), kind != "introduced", kind) for event in events for kind, value in event.items()
        )
    except InvalidVersion:
        return True
    affected = False
    for at, _, kind in ordered:
        if kind == "introduced" and version >= at:
            affected = True
        elif (kind == "fixed" and version >= at) or (kind == "last_affected" and version > at):
            affected = False
    return affected
