"""All YAML below ``deploy/``, whatever reads it."""

from __future__ import annotations

from pathlib import Path

from linters import run

_RULES = "{extends: default, rules: {document-start: disable, line-length: {max: 140}, octal-values: disable}}"


def test_yamllint_has_no_finding(deploy: Path) -> None:
    done = run("yamllint", "--strict", "--config-data", _RULES, deploy)
    assert (0, "") == (done.returncode, done.stdout + done.stderr)
