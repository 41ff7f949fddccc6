from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def monitoring() -> Path:
    """The folder with the files for Prometheus and Grafana."""
    return Path(__file__).parents[3] / "deploy"
