from __future__ import annotations

import json
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from service.errors import SettingsError
from service.operations.doctor.host.advisories import check_advisories, installed_packages, read_advisories
from service.operations.doctor.report import Outcome

TORNADO = metadata.version("tornado")


def _osv(*, name: str = "tornado", ecosystem: str = "PyPI", **members: Any) -> dict[str, Any]:
    affected = {"package": {"ecosystem": ecosystem, "name": name}} | members
    return {"id": "GHSA-test", "affected": [affected]}


def _range(*events: dict[str, str], kind: str = "ECOSYSTEM") -> list[dict[str, Any]]:
    return [{"type": kind, "events": list(events)}]


def _audit(**dependency: Any) -> dict[str, Any]:
    return {"dependencies": [{"name": "Tornado", "version": TORNADO, "vulns": []} | dependency], "fixes": []}


VULNERABILITY = {"id": "PYSEC-test", "fix_versions": ["999.1"], "aliases": [], "description": ""}
FOUND: dict[str, Any] = {
    "pip-audit": _audit(vulns=[VULNERABILITY]),
    "a version": _osv(versions=["1.0", TORNADO]),
    "a range without an end": _osv(ranges=_range({"introduced": "0"})),
    "a range that ends later": _osv(ranges=_range({"introduced": "0"}, {"fixed": "999.1"})),
    "a range up to this version": _osv(ranges=_range({"introduced": "0"}, {"last_affected": TORNADO})),
    "a second range": _osv(
        ranges=_range({"introduced": "0"}, {"fixed": "1.0"}, {"introduced": "2.0"}, {"fixed": "999.1"})
    ),
    "a version that cannot be compared": _osv(ranges=_range({"introduced": "0"}, {"fixed": "the next one"})),
    "a list": [_osv(name="django", versions=["1"]), _osv(versions=[TORNADO])],
    "a response of OSV": {"vulns": [_osv(versions=[TORNADO])]},
}
ABSENT: dict[str, Any] = {
    "nothing": [],
    "pip-audit of another version": _audit(version="1.0", vulns=[VULNERABILITY]),
    "pip-audit without a finding": _audit(),
    "pip-audit that has skipped it": {"dependencies": [{"name": "tornado", "skip_reason": "not on PyPI"}]},
    "another package": _osv(name="django", ranges=_range({"introduced": "0"})),
    "another ecosystem": _osv(ecosystem="npm", ranges=_range({"introduced": "0"})),
    "a range that has ended": _osv(ranges=_range({"introduced": "0"}, {"fixed": "1.0"})),
    "a range that ended with an affected version": _osv(ranges=_range({"introduced": "0"}, {"last_affected": "1.0"})),
    "a range of commits": _osv(ranges=_range({"introduced": "0"}, kind="GIT")),
    "a withdrawn record": _osv(versions=[TORNADO]) | {"withdrawn": "2026-01-01T00:00:00Z"},
}


@pytest.mark.parametrize("document", FOUND.values(), ids=FOUND)
def test_an_advisory_about_an_installed_version_fails(document: Any, tmp_path: Path) -> None:
    (tmp_path / "advisories.json").write_text(json.dumps(document))
    (finding,) = check_advisories(read_advisories(tmp_path / "advisories.json"))
    assert Outcome.FAIL is finding.outcome
    assert f"tornado {TORNADO} has the advisory" in finding.found
    assert ("999.1" in json.dumps(document)) == ("upgrade tornado to" in finding.advice and "999.1" in finding.advice)


@pytest.mark.parametrize("document", ABSENT.values(), ids=ABSENT)
def test_any_other_advisory_does_not(document: Any, tmp_path: Path) -> None:
    (tmp_path / "advisories.json").write_text(json.dumps(document))
    (finding,) = check_advisories(read_advisories(tmp_path / "advisories.json"))
    assert Outcome.OK is finding.outcome


@pytest.mark.parametrize(
    "text", ["", "[", "{}", '"x"', "1", '[{"id": 1}]', '{"dependencies": [{"version": "1"}]}', "[" * 99999]
)
def test_another_format_is_a_settings_error(text: str, tmp_path: Path) -> None:
    (tmp_path / "advisories.json").write_text(text)
    with pytest.raises(SettingsError, match="expected the output of pip-audit"):
        read_advisories(tmp_path / "advisories.json")


def test_a_missing_file_is_a_settings_error(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"--advisories: .*missing: No such file"):
        read_advisories(tmp_path / "missing")


def test_the_packages_are_those_that_the_service_requires() -> None:
    packages = installed_packages()
    assert {"tornado-resource-server", "tornado", "cryptography", "pyjwt", "pydantic-core"} <= packages.keys()
    assert TORNADO == packages["tornado"]
    assert "pytest-xdist-no-such" not in packages
