from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from certificates import self_signed

from service.operations.doctor.host.client_certificates import check_client_certificates
from service.operations.doctor.report import Finding, Outcome
from service.settings.program import Settings

ISSUER: dict[str, Any] = {"issuer": "https://dev-1.okta.com/oauth2/default"}
DAY = 86400.0
YEAR = dt.timedelta(days=365)


@pytest.fixture
def now() -> float:
    return dt.datetime.now(dt.UTC).timestamp()


def _check(now: float, **settings: Any) -> list[Finding]:
    return list(check_client_certificates(Settings(**ISSUER, **settings), now=now))


def _tls(ca_file: Path) -> dict[str, Any]:
    return {"certfile": "own.pem", "keyfile": "own.key", "client_ca": str(ca_file)}


def test_without_a_source_no_certificate_is_read(now: float) -> None:
    (finding,) = _check(now)
    assert (Outcome.OK, "client certificates") == (finding.outcome, finding.about)
    assert "are rejected" in finding.found


@pytest.mark.parametrize(
    ("days", "outcome", "words"),
    [
        (-365, Outcome.OK, "CN=clients has 366 days left"),
        (-29, Outcome.OK, "has 30 days left"),
        (-1, Outcome.WARN, "has 2 days left"),
        (0.5, Outcome.WARN, "has less than a day left"),
        (2, Outcome.FAIL, "is expired or not valid yet"),
        (-400, Outcome.FAIL, "is expired or not valid yet"),
    ],
)
def test_the_days_of_the_authority_are_counted(
    days: float, outcome: Outcome, words: str, tmp_path: Path, now: float
) -> None:
    start = dt.datetime.fromtimestamp(now, dt.UTC) - dt.timedelta(days=365, minutes=5)
    end = dt.datetime.fromtimestamp(now, dt.UTC) + dt.timedelta(days=1, minutes=5)
    authority = self_signed(tmp_path, "clients", start=start, end=end)
    (finding,) = _check(now + days * DAY, **_tls(authority.file))
    assert (outcome, "client_ca") == (finding.outcome, finding.about)
    assert words in finding.found


def test_one_expired_authority_of_two_is_named(tmp_path: Path, now: float) -> None:
    start = dt.datetime.fromtimestamp(now, dt.UTC) - YEAR
    old = self_signed(tmp_path, "old", start=start, end=start + dt.timedelta(days=1))
    new = self_signed(tmp_path, "new", start=start, end=start + 2 * YEAR)
    both = tmp_path / "both.pem"
    both.write_text(old.pem + new.pem)
    (finding,) = _check(now, **_tls(both))
    assert Outcome.WARN is finding.outcome
    assert "CN=old is expired or not valid yet, CN=new has 364 days left" in finding.found


def test_a_file_that_has_gone_fails(tmp_path: Path, now: float) -> None:
    authority = self_signed(tmp_path, "clients")
    settings = Settings(**ISSUER, **_tls(authority.file))
    authority.file.unlink()
    (finding,) = check_client_certificates(settings, now=now)
    assert (Outcome.FAIL, True) == (finding.outcome, "No such file" in finding.found)


@pytest.mark.parametrize(
    ("proxies", "outcome", "words"),
    [
        (("10.1.2.3", "unix"), Outcome.OK, "client-cert of the proxies 10.1.2.3, unix"),
        (("10.0.0.0/8", "fc00::/7"), Outcome.OK, "client-cert"),
        (("128.0.0.0/1",), Outcome.FAIL, "a client in 128.0.0.0/1 can send the field, too"),
        (("10.0.0.1", "2000::/3"), Outcome.FAIL, "a client in 2000::/3"),
        (("64.0.0.0/2",), Outcome.FAIL, "a client in 64.0.0.0/2"),
    ],
)
def test_a_field_that_clients_can_send_fails(
    proxies: tuple[str, ...], outcome: Outcome, words: str, now: float
) -> None:
    (finding,) = _check(now, client_certificate_header="Client-Cert", trusted_proxies=proxies)
    assert (outcome, "client_certificate_header") == (finding.outcome, finding.about)
    assert words in finding.line()


def test_both_sources_have_a_finding(tmp_path: Path, now: float) -> None:
    authority = self_signed(tmp_path, "clients")
    proxy: dict[str, Any] = {"client_certificate_header": "Client-Cert", "trusted_proxies": ("10.0.0.1",)}
    found = [finding.about for finding in _check(now, **_tls(authority.file), **proxy)]
    assert ["client_ca", "client_certificate_header"] == found
