from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
import servers

from fakeissuer import RunningIssuer
from service.clock import Clock, ManualClock, SystemClock
from service.issuers.client import JSONClient
from service.operations.doctor.check import check
from service.operations.doctor.report import Finding, Outcome
from service.settings.program import Settings


async def _finding(
    about: str, issuer: RunningIssuer, client: JSONClient, clock: Clock | None = None, **changes: Any
) -> Finding:
    known = {"client_id": "0oaapi00000000000001", "client_secret": "api-secret-for-tests-only-00000000001"}
    settings = Settings(**({"issuer": issuer.issuer_url()} | known | changes))
    report = await check(settings, client=client, clock=clock or SystemClock())
    return next(finding for finding in report.findings if finding.about == about)


@pytest.mark.parametrize("validation", ["auto", "introspection", "hybrid"])
@pytest.mark.gen_test
async def test_accepted_client_credentials_pass(
    validation: str, fake_issuer: RunningIssuer, client: JSONClient
) -> None:
    finding = await _finding("introspection", fake_issuer, client, validation=validation)
    assert Outcome.OK is finding.outcome
    assert "0oaapi00000000000001" in finding.found


FAULTS: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "a wrong secret": ({"client_secret": "wrong"}, {}, "is not its secret"),
    "an unknown client": ({"client_id": "unknown"}, {}, "a client that does not exist"),
    "an outage": ({}, {"status": 500}, "get 503 until"),
    "every token reported as active": ({}, {"status": 200, "body": {"active": True}}, "protects nothing"),
}


@pytest.mark.parametrize(("changes", "fault", "advice"), FAULTS.values(), ids=FAULTS.keys())
@pytest.mark.gen_test
async def test_a_failed_introspection_has_advice(
    changes: dict[str, Any], fault: dict[str, Any], advice: str, fake_issuer: RunningIssuer, client: JSONClient
) -> None:
    if fault:
        fake_issuer.fail("introspect", **fault)
    finding = await _finding("introspection", fake_issuer, client, **changes)
    assert Outcome.FAIL is finding.outcome
    assert advice in finding.advice
    assert "wrong" not in finding.found


CLOCKS: dict[str, tuple[dict[str, Any], int, Outcome, str]] = {
    "right": ({}, 0, Outcome.OK, "within the duration of a response"),
    "an hour behind": ({}, 3600, Outcome.FAIL, "behind the issuer"),
    "an hour behind, with a fixed metadata_url": ({"metadata_url": ""}, 3600, Outcome.FAIL, "behind the issuer"),
    "nothing to compare": ({"introspection_endpoint": ""}, 3600, Outcome.SKIPPED, "no document is fetched"),
}


@pytest.mark.parametrize(("settings", "offset", "outcome", "found"), CLOCKS.values(), ids=CLOCKS)
@pytest.mark.gen_test
async def test_the_clock_is_compared_with_an_issuer_that_is_only_introspected(
    settings: dict[str, str], offset: int, outcome: Outcome, found: str, fake_issuer: RunningIssuer, client: JSONClient
) -> None:
    urls = {
        "metadata_url": f"{fake_issuer.issuer_url()}/.well-known/openid-configuration",
        "introspection_endpoint": f"{fake_issuer.issuer_url()}/v1/introspect",
    }
    clock = ManualClock(time.time() - offset)
    changes: dict[str, Any] = {name: urls[name] for name in settings} | {"validation": "introspection"}
    finding = await _finding("clock", fake_issuer, client, clock, **changes)
    assert outcome is finding.outcome
    assert found in finding.found


@pytest.mark.gen_test
async def test_the_shared_cache_is_checked(fake_issuer: RunningIssuer, client: JSONClient) -> None:
    with servers.running("redis") as server:
        assert Outcome.OK is (await _finding("shared cache", fake_issuer, client, cache_url=server.url)).outcome
        server.stop()
        finding = await _finding("shared cache", fake_issuer, client, cache_url=server.url)
    assert Outcome.WARN is finding.outcome
    assert "continues without it" in finding.found


@pytest.mark.gen_test
async def test_a_shared_cache_without_a_secret_fails(fake_issuer: RunningIssuer, client: JSONClient) -> None:
    changes: dict[str, Any] = {"cache_url": "redis://127.0.0.1:1", "client_id": None, "client_secret": None}
    finding = await _finding("shared cache", fake_issuer, client, **changes)
    assert Outcome.FAIL is finding.outcome
    assert "SERVICE_CACHE_SECRET" in finding.found


async def _findings(client: JSONClient, **settings: Any) -> dict[str, Finding]:
    report = await check(Settings(audience=("api://default",), **settings), client=client, clock=SystemClock())
    return {finding.about: finding for finding in report.findings}


@pytest.mark.gen_test
async def test_the_metadata_url_of_the_settings_is_checked(fake_issuer: RunningIssuer, client: JSONClient) -> None:
    url = f"{fake_issuer.issuer_url()}/.well-known/openid-configuration"
    found = await _findings(client, issuer="https://sso.example.com", metadata_url=url)
    assert Outcome.FAIL not in {finding.outcome for finding in found.values()}
    assert f"GET {url}" == found["discovery"].found
    assert 'as at metadata_url; tokens must have the issuer "https://sso.example.com"' in (
        found["issuer in the document"].found
    )


@pytest.mark.gen_test
async def test_the_jwks_uri_of_the_settings_is_checked_without_discovery(
    fake_issuer: RunningIssuer, client: JSONClient
) -> None:
    url = f"{fake_issuer.issuer_url()}/v1/keys"
    found = await _findings(client, issuer="acme.com", jwks_uri=url)
    assert Outcome.FAIL not in {finding.outcome for finding in found.values()}
    assert url in found["jwks_uri"].found
    assert "discovery" not in found
    assert 0 == fake_issuer.requests("discovery").count


@pytest.mark.gen_test
async def test_a_file_of_keys_is_checked(fake_issuer: RunningIssuer, client: JSONClient, tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    file.write_text(json.dumps(fake_issuer.key_set()))
    settings = Settings(issuer="acme.com", audience=("a",), keys_file=str(file))
    report = await check(settings, client=client, clock=SystemClock())
    assert report.passed
    assert any(finding.found.startswith(f"{file}: 2 usable") for finding in report.findings)
    file.unlink()
    report = await check(settings, client=client, clock=SystemClock())
    (finding,) = (finding for finding in report.findings if finding.outcome is Outcome.FAIL)
    assert f"{file}: no such file" == finding.found


@pytest.mark.gen_test
async def test_an_issuer_without_a_document_has_advice(fake_issuer: RunningIssuer, client: JSONClient) -> None:
    fake_issuer.fail("discovery", status=403)
    finding = (await _findings(client, issuer=fake_issuer.issuer_url()))["discovery"]
    assert (Outcome.FAIL, True) == (finding.outcome, "is the URL right?" in finding.advice)
