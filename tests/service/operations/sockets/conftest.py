from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from service_manager import ServiceManager, service_manager


@pytest.fixture
def short_path() -> Iterator[Path]:
    """A folder for Unix sockets, whose paths have at most 107 bytes."""
    with tempfile.TemporaryDirectory(prefix="sock") as folder:
        yield Path(folder)


@pytest.fixture
def manager(short_path: Path, environment: dict[str, str]) -> Iterator[ServiceManager]:
    with service_manager(short_path, environment) as running:
        yield running
