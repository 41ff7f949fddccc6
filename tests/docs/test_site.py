"""What the build of the site does not see: generated pages are current, and links out of the README lead somewhere."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
REPOSITORY = "https://github.com/tornado-resource-server/tornado-resource-server"


def test_the_generated_reference_is_current(tmp_path: Path) -> None:
    subprocess.run([sys.executable, str(ROOT / "docs/generate_reference.py"), str(tmp_path)], check=True)
    for page in tmp_path.iterdir():
        committed = ROOT / "docs" / "reference" / page.name
        assert page.read_text("utf-8") == committed.read_text("utf-8"), "run: python docs/generate_reference.py"


@pytest.mark.parametrize("page", ["README.rst", "CHANGELOG.rst", "CONTRIBUTING.rst", "SECURITY.md"])
def test_each_link_into_the_repository_leads_to_a_file(page: str) -> None:
    text = (ROOT / page).read_text("utf-8")
    for path in re.findall(rf"{REPOSITORY}/(?:blob|tree)/main/([^>)#\s]+)", text):
        assert (ROOT / path).exists(), path


def test_at_most_ten_lines_are_exempt_from_the_check_of_words() -> None:
    files = [path for folder in ("service", "fakeissuer", "tests") for path in (ROOT / folder).rglob("*.py")]
    lines = [line for path in files for line in path.read_text("utf-8").splitlines()]
    assert len([line for line in lines if re.search(r"# plain-words[:] ", line)]) <= 10
