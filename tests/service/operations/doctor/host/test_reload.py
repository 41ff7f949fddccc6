from __future__ import annotations

import datetime as dt
import signal
from pathlib import Path

import pytest
from certificates import Authority
from programs import Start, first_match, listening

from service.errors import SettingsError
from service.operations.doctor.host.local import check_locally
from service.operations.doctor.host.reload import check_before_reload, failing_checks
from service.operations.doctor.report import Outcome
from service.settings.program import Settings

OKTA = "https://dev-123456.okta.com/oauth2/default"
NONE: frozenset[str] = frozenset()
NOW = dt.datetime.now(dt.UTC)


def _issue(folder: Path, *, expired: bool) -> Settings:
    dates = {"not_after": NOW - dt.timedelta(days=2)} if expired else {}
    issued = Authority(folder).issue("api.example", **dates)
    return Settings(issuer=OKTA, certfile=str(issued.file), keyfile=str(issued.key_file))


def test_the_local_checks_pass_with_the_defaults() -> None:
    assert {Outcome.OK} == {finding.outcome for finding in check_locally(Settings(issuer=OKTA))}
    assert NONE == failing_checks(Settings(issuer=OKTA))


def test_a_check_that_fails_stops_a_reload(tmp_path: Path) -> None:
    assert NONE == check_before_reload(_issue(tmp_path, expired=False), failing=NONE)
    settings = _issue(tmp_path, expired=True)
    with pytest.raises(SettingsError, match=r"TLS of the service: .* expired 2 days ago; renew it"):
        check_before_reload(settings, failing=NONE)


def test_a_check_that_has_failed_before_does_not_stop_a_reload(tmp_path: Path) -> None:
    settings = _issue(tmp_path, expired=True)
    failing = failing_checks(settings)
    assert {"tls_of_the_service"} == failing == check_before_reload(settings, failing=failing)
    worse = settings.model_copy(update={"deny_list_file": str(tmp_path / "missing" / "deny.json")})
    with pytest.raises(SettingsError) as rejection:
        check_before_reload(worse, failing=failing)
    assert 1 == len(rejection.value.problems)
    assert "its folder does not exist" in str(rejection.value)


def test_a_reload_with_an_expired_certificate_leaves_the_workers(start: Start, tmp_path: Path) -> None:
    settings = _issue(tmp_path, expired=False)
    options = ["--certfile", str(settings.certfile), "--keyfile", str(settings.keyfile)]
    process = start("service", "--port", "0", "--issuer", OKTA, *options, SERVICE_FILE_CHECK_INTERVAL="3600")
    listening(process)
    _issue(tmp_path, expired=True)
    process.send_signal(signal.SIGHUP)
    assert process.stderr is not None
    assert "expired 2 days ago" in first_match(process.stderr, r"(reload failed.*)$")
    _issue(tmp_path, expired=False)
    process.send_signal(signal.SIGHUP)
    assert first_match(process.stderr, r"(reload finished)")
