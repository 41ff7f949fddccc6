"""promtool, which checks what Prometheus reads."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest


def promtool(*arguments: str | Path, standard_input: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run promtool with these arguments; skip the test without it."""
    path = shutil.which("promtool")
    if path is None:
        pytest.skip("promtool is not installed; Debian has it in the package prometheus")
    return subprocess.run(
        [path, *map(str, arguments)], input=standard_input, capture_output=True, text=True, check=False, timeout=60
    )
