"""The command line; each command runs as a process."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from programs import Start, curl, free_port, listening

import fakeissuer
from service import __version__

OKTA = "https://dev-123456.okta.com/oauth2/default"


def _run(start: Start, *arguments: str, **variables: str) -> tuple[int, str, str]:
    process = start(*arguments, **variables)
    out, err = process.communicate(timeout=30)
    return process.returncode, out, err


def test_missing_settings_are_reported(start: Start) -> None:
    status, out, err = _run(start, "service")
    assert (2, "") == (status, out)
    assert "OKTA_OAUTH2_ISSUER" in err
    assert "--demo" in err
    assert 1 == len(err.splitlines())


def test_run_is_the_default_command(start: Start) -> None:
    assert _run(start, "service", "run") == _run(start, "service")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["service", "--issuer", "https://dev-1-admin.okta.com/oauth2/default"], "admin console"),
        (["service", "--issuer", "https://issuer.example"], "audience"),
        (["service", "--issuer", OKTA, "--port", "70000"], "port"),
        (["service", "--issuer", OKTA, "--port", "many"], "port"),
        (["service", "--issuer", OKTA, "--routes", "no.such:routes"], "package.module:attribute"),
        (["service", "--issuer", OKTA, "--routes", "os:sep"], "package.module:attribute"),
        (["service", "--issuer", OKTA, "--routes"], "package.module:attribute"),
        (["service", "--config", "missing.toml"], "missing.toml"),
        (["service", "--no-such-option"], "--no-such-option"),
        (["service", "serve"], "serve"),
        (["service", "--demo", "--address", "0.0.0.0", "--issuer-port", "0"], "loopback addresses only"),
    ],
    ids=lambda value: " ".join(value[1:]) if isinstance(value, list) else "",
)
def test_wrong_usage_exits_with_2_and_a_message(start: Start, arguments: list[str], message: str) -> None:
    status, _, err = _run(start, *arguments)
    assert 2 == status
    assert message in err
    assert "Traceback" not in err


def test_an_address_in_use_exits_with_1(start: Start, fake_issuer_url: str) -> None:
    port = fake_issuer_url.rpartition(":")[2]
    status, _, err = _run(start, "service", "--issuer", OKTA, "--port", port)
    assert 1 == status
    assert "Address already in use" in err
    assert "Traceback" not in err


def test_the_version_is_printed(start: Start) -> None:
    assert (0, f"tornado-resource-server {__version__}\n", "") == _run(start, "service", "--version")


def test_config_shows_each_setting_and_its_source(start: Start) -> None:
    variables = {"SERVICE_LEEWAY": "30", "SERVICE_HTTP_PROXY": "http://alice:hunter2@proxy.example"}
    status, out, _ = _run(start, "service", "config", "--issuer", OKTA, **variables)
    assert 0 == status
    assert f"issuer = '{OKTA}'  # command line\n" in out
    assert "leeway = 30.0  # environment\n" in out
    assert "port = 8080  # default\n" in out
    assert "audience = ('api://default',)  # default\n" in out
    assert f"profile of {OKTA} = 'okta, recognised from the issuer: client in client_id or cid" in out
    assert "hunter2" not in out


@pytest.mark.parametrize("signal_number", [signal.SIGINT, signal.SIGTERM])
def test_the_service_starts_without_the_issuer_and_a_signal_stops_it(
    signal_number: signal.Signals, start: Start
) -> None:
    process = start("service", "--port", "0", OKTA_OAUTH2_ISSUER="http://127.0.0.1:1/oauth2/default")
    url = listening(process)
    assert 200 == curl(f"{url}/api/hello")[0]
    status, body = curl(f"{url}/readyz")
    assert 503 == status
    assert {"status": "not ready"} == json.loads(body)
    assert 401 == curl(f"{url}/api/whoami")[0]
    process.send_signal(signal_number)
    _, err = process.communicate(timeout=10)
    assert 0 == process.returncode
    assert "Traceback" not in err


def test_the_demo_prints_working_curl_lines(environment: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, Path(__file__).parents[1] / "demo.py"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert 0 == done.returncode, done.stdout + done.stderr


def test_issuer_and_service_work_as_in_the_guide(start: Start) -> None:
    """The guide end to end, with the issuer, the API and curl as three processes."""
    issuer = listening(start("fakeissuer", "--port", "0"))
    process = start("service", "--port", "0", OKTA_OAUTH2_ISSUER=f"{issuer}/oauth2/default")
    api = listening(process)
    form = ["-d", "grant_type=client_credentials&scope=api:read"]
    status, body = curl(
        "-u", "0oaservice0000000001:service-secret-for-tests-only-0000001", *form, f"{issuer}/oauth2/default/v1/token"
    )
    assert 200 == status
    found = re.search(r'"access_token": ?"([^"]+)"', body)
    assert found is not None
    bearer = ["-H", f"Authorization: Bearer {found[1]}"]
    assert 200 == curl(f"{api}/api/hello")[0]
    assert 200 == curl(*bearer, f"{api}/api/hello")[0]
    assert 200 == curl("-H", "Authorization: nonsense", f"{api}/api/hello")[0]
    assert 401 == curl(f"{api}/api/whoami")[0]
    status, body = curl(*bearer, f"{api}/api/whoami")
    assert 200 == status
    assert '"cid": "0oaservice0000000001"' in body
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=10)
    assert found[1] not in err
    assert 5 == err.count("service.access")


def test_the_token_command_prints_a_token_that_is_accepted(start: Start) -> None:
    issuer = listening(start("fakeissuer", "--port", "0"))
    api = listening(start("service", "--port", "0", OKTA_OAUTH2_ISSUER=f"{issuer}/oauth2/default"))
    status, token, _ = _run(start, "fakeissuer", "token", "--sub", "alice@example.com", "--issuer", issuer)
    assert 0 == status
    status, body = curl("-H", f"Authorization: Bearer {token.strip()}", f"{api}/api/whoami")
    assert 200 == status
    assert '"sub": "alice@example.com"' in body


def test_the_service_starts_within_ten_seconds(start: Start) -> None:
    started = time.monotonic()
    listening(start("service", "--port", "0", "--issuer", OKTA))
    assert time.monotonic() - started < 10


def test_a_token_denied_at_the_admin_port_is_rejected(start: Start) -> None:
    with fakeissuer.running() as issuer:
        port = free_port()
        service = start(
            "service", "--port", "0", "--admin-port", str(port), "--issuer", issuer.issuer_url(),
            SERVICE_ADMIN_TOKEN="operators-only-0123456789-abcdefghij",
        )  # fmt: skip
        api, token = listening(service), issuer.token(sub="mallory@example.com")
        assert 200 == _status(f"{api}/api/whoami", token)
        denied = {"sub": "mallory@example.com", "expires_in": 60}
        assert 401 == _status(f"http://127.0.0.1:{port}/deny-list", "guessed", denied)
        assert 201 == _status(f"http://127.0.0.1:{port}/deny-list", "operators-only-0123456789-abcdefghij", denied)
        assert 401 == _status(f"{api}/api/whoami", token)
        assert 200 == _status(f"{api}/api/whoami", issuer.token(sub="alice@example.com"))


def _status(url: str, token: str, body: dict[str, object] | None = None) -> int:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, headers={"Authorization": f"Bearer {token}"})  # noqa: S310  # a loopback URL
    try:
        with urllib.request.urlopen(request, timeout=10) as response:  # noqa: S310  # as above
            return int(response.status)
    except urllib.error.HTTPError as exc:
        with exc:
            return exc.code
