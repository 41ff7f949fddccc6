from __future__ import annotations

import subprocess
import sys

import pytest

import service


def test_every_exported_name_exists() -> None:
    assert sorted(service.__all__) == service.__all__
    assert all(hasattr(service, name) for name in service.__all__)


_LOADED_ON_DEMAND = {
    "aiocache",
    "cryptography.hazmat.primitives.serialization",
    "cryptography.x509",
    "dotenv",
    "fakeissuer",
    "jwt",
    "prometheus_client",
    "publicsuffixlist",
    "service.operations.doctor",
}
"""Modules that take long to import, and that a service with few settings does not need."""


@pytest.mark.parametrize("module", ["service", "service.__main__"])
def test_the_import_loads_nothing_that_is_needed_only_later(module: str) -> None:
    code = f"import sys, {module}; print(*sys.modules)"
    printed = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert set() == _LOADED_ON_DEMAND & set(printed.split())
