from __future__ import annotations

import subprocess
import sys

import pytest

import service


def test_every_exported_name_exists() -> None:
    assert sorted(service.__all__) == service.__all__
    assert all(hasattr(service, name) for name in service.__all__)
    assert set(service.__all__) <= set(dir(service))


def test_a_name_that_is_not_exported_is_no_attribute() -> None:
    with pytest.raises(AttributeError, match="module 'service' has no attribute 'Guards'"):
        _ = service.Guards  # type: ignore[attr-defined]  # on purpose


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


@pytest.mark.parametrize("module", ["service.app", "service.__main__"])
def test_the_import_loads_nothing_that_is_needed_only_later(module: str) -> None:
    assert set() == _LOADED_ON_DEMAND & _modules_after(f"import {module}")


def test_the_supervisor_imports_no_handlers() -> None:
    loaded = _modules_after("import service.__main__")
    assert set() == {"pycurl", "service.app", "service.web.handler.mixin", "tornado.web"} & loaded


def _modules_after(statement: str) -> set[str]:
    code = f"import sys; {statement}; print(*sys.modules)"
    return set(subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split())
