from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from certificates import Authority
from cryptography import x509

from service.clock import SystemClock
from service.operations.doctor.host.own_certificate import check_own_certificate
from service.operations.doctor.report import Outcome
from service.settings.program import Settings

OKTA = "https://dev-123456.okta.com/oauth2/default"
NOW = dt.datetime.now(dt.UTC)
DAY = dt.timedelta(days=1)


def _certificate(folder: Path, **dates: dt.datetime) -> dict[str, Any]:
    issued = Authority(folder).issue("api.example", **dates)
    return {"certfile": str(issued.file), "keyfile": str(issued.key_file)}


DATES: dict[str, tuple[dict[str, dt.datetime], Outcome, str]] = {
    "for years": ({"not_after": NOW + 800 * DAY}, Outcome.OK, "the certificate of api.example is valid until"),
    "for a week": ({"not_after": NOW + 7.5 * DAY}, Outcome.WARN, "in 7 days; renew it"),
    "expired": ({"not_after": NOW - 3.5 * DAY}, Outcome.FAIL, "expired 4 days ago; renew it"),
    "not yet": ({"not_before": NOW + 2 * DAY, "not_after": NOW + 9 * DAY}, Outcome.FAIL, "clock is behind"),
}


@pytest.mark.parametrize(("dates", "outcome", "words"), DATES.values(), ids=DATES)
def test_the_dates_of_the_own_certificate_are_checked(
    dates: dict[str, dt.datetime], outcome: Outcome, words: str, tmp_path: Path
) -> None:
    settings = Settings.from_keywords(issuer=OKTA, **_certificate(tmp_path, **dates))
    finding = check_own_certificate(settings, clock=SystemClock())
    assert outcome is finding.outcome
    assert words in finding.line()


WITHOUT = {
    "on a loopback address": ("127.0.0.1", Outcome.OK, "loopback"),
    "on a Unix socket": ("unix:/run/api.sock", Outcome.OK, "Unix socket"),
    "on every address": ("0.0.0.0", Outcome.WARN, "in clear text"),
}


@pytest.mark.parametrize(("address", "outcome", "words"), WITHOUT.values(), ids=WITHOUT)
def test_a_service_needs_no_certificate_where_only_this_machine_connects(
    address: str, outcome: Outcome, words: str
) -> None:
    finding = check_own_certificate(Settings(issuer=OKTA, address=address), clock=SystemClock())
    assert outcome is finding.outcome
    assert words in finding.line()


def test_a_certificate_whose_dates_cannot_be_read_is_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: bytes) -> None:
        raise ValueError("an encoding that only OpenSSL tolerates")

    monkeypatch.setattr(x509, "load_pem_x509_certificates", fail)
    settings = Settings.from_keywords(issuer=OKTA, **_certificate(tmp_path))
    assert Outcome.WARN is check_own_certificate(settings, clock=SystemClock()).outcome
