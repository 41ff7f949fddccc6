from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from certificates import Authority
from programs import Start, free_port, listening

from service.operations.doctor.network.port import check_port
from service.operations.doctor.report import Outcome
from service.settings.program import Settings

OKTA = "https://dev-123456.okta.com/oauth2/default"


@contextlib.contextmanager
def _other_program() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(30)
        yield listening.getsockname()[1]


@pytest.mark.gen_test
async def test_a_free_port_is_ok() -> None:
    port = free_port()
    finding = await check_port(Settings(issuer=OKTA, port=port))
    assert (Outcome.OK, f"127.0.0.1:{port}, which is free") == (finding.outcome, finding.found)
    assert "[::1]:0" not in (await check_port(Settings(issuer=OKTA, address="::1", port=port))).line()
    assert "any free port" in (await check_port(Settings(issuer=OKTA, port=0))).found
    assert "unix:/run/x.sock" == (await check_port(Settings(issuer=OKTA, address="unix:/run/x.sock"))).found


@pytest.mark.gen_test
async def test_a_port_of_another_program_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.operations.doctor.network.port._TIMEOUT", 0.1)
    with _other_program() as port:
        finding = await check_port(Settings(issuer=OKTA, port=port))
    assert Outcome.WARN is finding.outcome
    assert "stop the program that listens there" in finding.advice


@pytest.mark.gen_test
async def test_an_address_of_another_machine_fails() -> None:
    finding = await check_port(Settings(issuer=OKTA, address="192.0.2.1"))
    assert Outcome.FAIL is finding.outcome
    assert "choose an --address of this machine" in finding.advice


@pytest.mark.parametrize("has_tls", [False, True])
@pytest.mark.gen_test
async def test_a_service_that_runs_already_is_recognised(
    has_tls: bool, start: Start, tmp_path: Path  # noqa: FBT001  # a row
) -> None:  # fmt: skip
    issued = Authority(tmp_path).issue("api.example")
    tls = {"certfile": str(issued.file), "keyfile": str(issued.key_file)} if has_tls else {}
    options = [f"--{name}={value}" for name, value in tls.items()]
    url = listening(start("service", "--port", "0", "--issuer", OKTA, *options))
    port = int(url.rpartition(":")[2])
    finding = await check_port(Settings(issuer=OKTA, port=port, **tls))  # type: ignore[arg-type]  # texts
    assert (Outcome.OK, True) == (finding.outcome, "where a service runs already" in finding.found)
