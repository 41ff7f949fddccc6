"""The folder of the files for deployments."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def deploy() -> Path:
    return Path(__file__).parents[2] / "deploy"
