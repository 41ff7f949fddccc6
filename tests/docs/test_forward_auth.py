"""Tests that the page on forward authentication shows each configuration that runs in a test."""

from __future__ import annotations

import re
from pathlib import Path

import proxies

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "how-to" / "forward-auth.rst"


def test_the_page_shows_each_file_of_each_proxy() -> None:
    shown = re.findall(r"^\.\. literalinclude:: \.\./\.\./deploy/(\S+)$", PAGE.read_text("utf-8"), re.MULTILINE)
    files = [path for name in proxies.PROGRAMS for path in (ROOT / "deploy" / name).iterdir()]
    assert sorted(path.relative_to(ROOT / "deploy").as_posix() for path in files) == sorted(shown)
