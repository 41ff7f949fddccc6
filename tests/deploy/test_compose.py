"""The compose file: valid, with settings that the service accepts, and as closed as the image allows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from deployed_settings import load
from linters import run


@pytest.fixture(scope="module")
def services(deploy: Path) -> dict[str, Any]:
    services: dict[str, Any] = yaml.safe_load((deploy / "compose.yaml").read_text("utf-8"))["services"]
    return services


def test_the_compose_file_is_valid(deploy: Path) -> None:
    done = run("check-jsonschema", "--builtin-schema", "vendor.compose-spec", deploy / "compose.yaml")
    assert 0 == done.returncode, done.stdout + done.stderr


def test_the_service_accepts_its_settings(services: dict[str, Any], tmp_path: Path) -> None:
    environment = services["api"]["environment"] | {"OKTA_OAUTH2_ISSUER": "https://dev-123456.okta.com/oauth2/default"}
    settings = load(environment, secrets="/run/secrets/", folder=tmp_path)
    assert {"/run/secrets/" + name for name in services["api"]["secrets"]} == {
        value for name, value in environment.items() if name.endswith("_FILE")
    }
    assert f"127.0.0.1:{settings.port}:{settings.port}" in services["api"]["ports"]
    assert float(services["api"]["stop_grace_period"].removesuffix("s")) >= settings.drain_timeout + 10
    assert services["api"]["cpus"], "without a quota, processes = 0 starts a worker for each core of the machine"


@pytest.mark.parametrize("name", ["api", "redis"])
def test_a_container_can_write_only_to_memory_and_has_no_capability(services: dict[str, Any], name: str) -> None:
    service = services[name]
    assert service["read_only"]
    assert service["tmpfs"]
    assert ["ALL"] == service["cap_drop"]
    assert ["no-new-privileges:true"] == service["security_opt"]
    assert service["mem_limit"]
    assert service["pids_limit"]


def test_redis_is_reached_by_the_service_alone_and_is_ready_before_it(services: dict[str, Any]) -> None:
    assert ["cache"] == services["redis"]["networks"]
    assert "ports" not in services["redis"]
    assert {"redis": {"condition": "service_healthy"}} == services["api"]["depends_on"]
    assert services["redis"]["healthcheck"]["test"]
