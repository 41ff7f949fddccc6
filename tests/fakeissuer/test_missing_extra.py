"""Without the extra ``fakeissuer``, the programs and the plugin say what to install."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from fakeissuer.errors import report_missing_extra

INSTALL = "python -m pip install 'tornado-resource-server[fakeissuer]'"
WITHOUT_THE_EXTRA = """
import runpy, sys
sys.modules |= dict.fromkeys(["jwcrypto", "msgspec", "tomli_w", "trustme"])
sys.argv = sys.argv[1:]
runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
"""


def _run(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", WITHOUT_THE_EXTRA, *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize(
    "arguments",
    [["service", "--demo"], ["fakeissuer"], ["fakeissuer", "config"]],
    ids=" ".join,
)
def test_a_program_exits_with_2_and_says_what_to_install(arguments: list[str], tmp_path: Path) -> None:
    done = _run(*arguments, folder=tmp_path)
    assert (2, "") == (done.returncode, done.stdout)
    (line,) = done.stderr.splitlines()
    assert INSTALL in line


def test_the_fixture_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "test_api.py").write_text("def test_api(fake_issuer): pass\n")
    done = _run("pytest", "-q", "-p", "no:cacheprovider", "test_api.py", folder=tmp_path)
    assert 1 == done.returncode
    assert INSTALL in done.stdout


@pytest.mark.parametrize("arguments", [["service", "--version"], ["fakeissuer", "--version"]], ids=" ".join)
def test_what_needs_no_fake_issuer_works(arguments: list[str], tmp_path: Path) -> None:
    assert 0 == _run(*arguments, folder=tmp_path).returncode


def test_another_missing_module_is_reported_as_it_is() -> None:
    with pytest.raises(ModuleNotFoundError, match="tornado"), report_missing_extra():
        raise ModuleNotFoundError("No module named 'tornado'", name="tornado")
