from __future__ import annotations

import email.utils
import json
import socket
import sys
import types
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import trustme
from tornado.web import RedirectHandler

import fakeissuer
from fakeissuer import RunningIssuer
from service.clock import SystemClock
from service.errors import IssuerUnavailable
from service.issuers.client import JSONClient
from service.operations.doctor.check import CheckReport, check
from service.operations.doctor.report import Finding, Outcome
from service.settings.issuers import IssuerSettings
from service.settings.program import Settings
from service.web.endpoints.okta_guide import ROUTES

CHECKS = [
    "issuer",
    "profile",
    "audience",
    "proxy",
    "name",
    "TLS to the issuer",
    "discovery",
    "issuer in the document",
    "jwks_uri",
    "key set",
    "keys",
    "algorithms",
    "Cache-Control",
    "clock",
    "shared cache",
    "address",
    "TLS of the service",
    "client certificates",
    "admin port",
    "trusted proxies",
    "CORS origins",
    "limits",
    "file descriptors",
]


async def _check(settings: Settings, client: JSONClient) -> CheckReport:
    return await check(settings, client=client, clock=SystemClock())


def _by_name(report: CheckReport) -> dict[str, Finding]:
    return {f"{finding.subject} {finding.about}".strip(): finding for finding in report.findings}


def _problems(report: CheckReport) -> dict[str, Outcome]:
    return {finding.about: finding.outcome for finding in report.findings if finding.outcome is not Outcome.OK}


@pytest.mark.gen_test
async def test_a_good_issuer_passes_every_check(settings: Settings, client: JSONClient) -> None:
    report = await _check(settings, client)
    assert report.passed
    assert {} == _problems(report)
    assert CHECKS == [finding.about for finding in report.findings]
    assert len(CHECKS) == len(report.lines())
    assert all(line.startswith("ok      ") and line.isprintable() for line in report.lines())
    seen = {about: finding.found for about, finding in _by_name(report).items()}
    assert "/.well-known/openid-configuration" in seen["discovery"]
    assert "Okta's default" in seen["audience"]
    assert "max-age" in seen["Cache-Control"]
    assert "2 usable" in seen["keys"]
    assert "RS256 has 2 keys" in seen["algorithms"]


@pytest.mark.gen_test
async def test_the_discovered_document_is_named(
    settings: Settings, client: JSONClient, fake_issuer: RunningIssuer
) -> None:
    fake_issuer.fail("discovery", status=404, times=1)
    seen = _by_name(await _check(settings, client))["discovery"].found
    assert "/.well-known/oauth-authorization-server" in seen


AFTER_DISCOVERY = ["issuer in the document", "jwks_uri", "key set", "keys", "algorithms", "Cache-Control", "clock"]
FAULTS: dict[str, dict[str, Any]] = {
    "an error": {"status": 500},
    "a redirect": {"redirect": True},
    "a dropped connection": {"drop": True},
    "garbage": {"garbage": True},
    "an empty body": {"empty": True},
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
@pytest.mark.gen_test
async def test_without_a_discovery_document_the_other_checks_are_skipped_with_a_reason(
    fault: dict[str, Any], settings: Settings, client: JSONClient, fake_issuer: RunningIssuer
) -> None:
    fake_issuer.fail("discovery", **fault)
    report = await _check(settings, client)
    assert not report.passed
    expected = {"discovery": Outcome.FAIL} | dict.fromkeys(AFTER_DISCOVERY, Outcome.SKIPPED)
    assert expected == _problems(report)
    assert all("since" in _by_name(report)[about].found for about in AFTER_DISCOVERY)
    assert CHECKS == [finding.about for finding in report.findings]


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
@pytest.mark.gen_test
async def test_without_a_key_set_the_other_checks_are_skipped_with_a_reason(
    fault: dict[str, Any], settings: Settings, client: JSONClient, fake_issuer: RunningIssuer
) -> None:
    fake_issuer.fail("keys", **fault)
    report = await _check(settings, client)
    after = ["keys", "algorithms", "Cache-Control"]
    assert {"key set": Outcome.FAIL} | dict.fromkeys(after, Outcome.SKIPPED) == _problems(report)
    assert CHECKS == [finding.about for finding in report.findings]


ADVICE: dict[str, tuple[dict[str, Any], str]] = {
    "the URL is not found": ({"status": 404}, "no authorization server with that ID"),
    "the issuer fails": ({"status": 503}, "the issuer has an error"),
    "there is no response": ({"drop": True}, "reachable from here?"),
}


@pytest.mark.parametrize(("fault", "words"), ADVICE.values(), ids=ADVICE.keys())
@pytest.mark.gen_test
async def test_a_failed_request_has_advice(
    fault: dict[str, Any], words: str, settings: Settings, client: JSONClient, fake_issuer: RunningIssuer
) -> None:
    fake_issuer.fail("discovery", **fault)
    assert words in _by_name(await _check(settings, client))["discovery"].advice


async def _document(issuer: str, client: JSONClient) -> dict[str, Any]:
    return (await client.get(f"{issuer}/.well-known/openid-configuration")).document


DOCUMENTS: dict[str, tuple[Mapping[str, Any], str, str]] = {
    "another issuer": ({"issuer": "https://dev-1.okta.com/oauth2/default"}, "issuer in the document", "issuerMode"),
    "a misspelt issuer": ({"issuer": "http://dev-1.okta.com"}, "issuer in the document", "is invalid"),
    "no issuer": ({"issuer": None}, "issuer in the document", "has no issuer"),
    "no keys": ({"jwks_uri": None}, "jwks_uri", "no jwks_uri"),
    "keys at an http URL": ({"jwks_uri": "http://keys.example/"}, "jwks_uri", "https"),
}


@pytest.mark.parametrize(("changes", "about", "words"), DOCUMENTS.values(), ids=DOCUMENTS.keys())
@pytest.mark.gen_test
async def test_a_bad_metadata_document_is_reported(
    changes: Mapping[str, Any],
    about: str,
    words: str,
    settings: Settings,
    client: JSONClient,
    fake_issuer: RunningIssuer,
) -> None:
    document = await _document(fake_issuer.issuer_url(), client)
    fake_issuer.fail("discovery", status=200, body={**document, **changes})
    report = await _check(settings, client)
    assert not report.passed
    finding = _by_name(report)[about]
    assert Outcome.FAIL is finding.outcome
    assert words in finding.line()


@pytest.mark.gen_test
async def test_the_issuer_of_a_custom_domain_is_suggested(client: JSONClient) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    vanity, org = f"http://localhost:{port}", f"http://127.0.0.1:{port}"
    async with fakeissuer.running(port=port, public_url=vanity) as issuer:
        issuer.put("servers", "default", audience="api://default", issuer_mode="ORG_URL")
        report = await _check(Settings(issuer=f"{vanity}/oauth2/default"), client)
        finding = _by_name(report)["issuer in the document"]
        assert Outcome.FAIL is finding.outcome
        assert "it is on another host" in finding.advice
        assert f"set issuer to {org}/oauth2/default" in finding.advice
        assert (await _check(Settings(issuer=f"{org}/oauth2/default"), client)).passed


KEYS: dict[str, tuple[list[dict[str, Any]], Outcome, str]] = {
    "no key": ([], Outcome.FAIL, "the key set is empty"),
    "no usable key": ([{"kty": "AKP"}], Outcome.FAIL, "no usable key among 1: key 1: kty is 'AKP'"),
}


@pytest.mark.parametrize(("keys", "outcome", "words"), KEYS.values(), ids=KEYS.keys())
@pytest.mark.gen_test
async def test_a_bad_key_set_is_reported(
    keys: list[dict[str, Any]],
    outcome: Outcome,
    words: str,
    settings: Settings,
    client: JSONClient,
    fake_issuer: RunningIssuer,
) -> None:
    fake_issuer.fail("keys", status=200, body={"keys": keys})
    report = await _check(settings, client)
    finding = _by_name(report)["keys"]
    assert (outcome, True) == (finding.outcome, words in finding.found)
    assert Outcome.SKIPPED is _by_name(report)["algorithms"].outcome


@pytest.mark.gen_test
async def test_skipped_keys_are_counted_with_their_reasons(
    settings: Settings, client: JSONClient, fake_issuer: RunningIssuer
) -> None:
    for key in ("enc", "small", "unknown-kty"):
        fake_issuer.token(key=key)
    report = await _check(settings, client)
    assert {"keys": Outcome.WARN} == _problems(report)
    assert report.passed
    seen = _by_name(report)["keys"].found
    assert "2 usable" in seen
    assert "3 skipped" in seen
    assert "use is 'enc' instead of 'sig'" in seen


ALGORITHMS: dict[str, tuple[tuple[str, ...], Outcome, str]] = {
    "an algorithm without a key": (("ES256",), Outcome.FAIL, "RS256"),
    "an unused algorithm": (("RS256", "ES256"), Outcome.WARN, "remove the algorithms"),
}


@pytest.mark.parametrize(("algorithms", "outcome", "words"), ALGORITHMS.values(), ids=ALGORITHMS.keys())
@pytest.mark.gen_test
async def test_unusable_algorithms_are_reported(
    algorithms: tuple[str, ...], outcome: Outcome, words: str, client: JSONClient, fake_issuer: RunningIssuer
) -> None:
    report = await _check(Settings(issuer=fake_issuer.issuer_url(), algorithms=algorithms), client)
    assert {"algorithms": outcome} == _problems(report)
    assert words in _by_name(report)["algorithms"].advice


OFFSETS: dict[str, tuple[float, Outcome, str]] = {
    "ahead, within the leeway": (-60, Outcome.WARN, "60 s ahead of"),
    "behind, within the leeway": (60, Outcome.WARN, "s behind"),
    "beyond the leeway": (3600, Outcome.FAIL, "NTP"),
}


@pytest.mark.parametrize(("offset", "outcome", "words"), OFFSETS.values(), ids=OFFSETS.keys())
@pytest.mark.gen_test
async def test_the_clock_is_compared_with_the_issuers(
    offset: float, outcome: Outcome, words: str, settings: Settings, client: JSONClient, fake_issuer: RunningIssuer
) -> None:
    date = email.utils.formatdate(SystemClock.now() + offset, usegmt=True)
    fake_issuer.fail("keys", status=200, body=dict(fake_issuer.key_set()), headers={"Date": date})
    report = await _check(settings, client)
    assert {"clock": outcome} == _problems(report)
    line = _by_name(report)["clock"].line()
    assert words in line or "61 s ahead of" in line


@pytest.mark.gen_test
async def test_without_a_date_header_the_clock_check_warns(
    settings: Settings, client: JSONClient, fake_issuer: RunningIssuer
) -> None:
    fake_issuer.fail("keys", status=200, body=dict(fake_issuer.key_set()), headers={"Date": "soon"})
    report = await _check(settings, client)
    assert {"clock": Outcome.WARN} == _problems(report)
    assert "no max-age, so the key set is cached for 10 minutes" in _by_name(report)["Cache-Control"].found


OWN: dict[str, tuple[dict[str, Any], str, Outcome, str]] = {
    "origins": ({"cors_origins": ("https://app.example",)}, "CORS origins", Outcome.OK, "https://app.example"),
    "every origin": ({"cors_origins": ("*",)}, "CORS origins", Outcome.WARN, "every site"),
    "an http origin": ({"cors_origins": ("http://app.example",)}, "CORS origins", Outcome.WARN, "use https"),
    "another audience": ({"audience": ("api://x",)}, "audience", Outcome.OK, '"api://x"'),
    "a public address without TLS": ({"address": "0.0.0.0"}, "TLS of the service", Outcome.WARN, "in clear"),
    "a missing certificate": (
        {"certfile": "no.pem", "keyfile": "no.key"},
        "TLS of the service",
        Outcome.FAIL,
        "No such file",
    ),
    "an invalid certificate": (
        {"certfile": __file__, "keyfile": __file__},
        "TLS of the service",
        Outcome.FAIL,
        "in PEM",
    ),
}


@pytest.mark.parametrize(("changes", "about", "outcome", "words"), OWN.values(), ids=OWN.keys())
@pytest.mark.gen_test
async def test_the_settings_are_checked(
    changes: dict[str, Any], about: str, outcome: Outcome, words: str, client: JSONClient, fake_issuer: RunningIssuer
) -> None:
    finding = _by_name(await _check(Settings(issuer=fake_issuer.issuer_url(), **changes), client))[about]
    assert outcome is finding.outcome
    assert words in finding.line()


@pytest.mark.gen_test
async def test_the_issuers_certificate_is_verified_with_ca_file(tmp_path: Path) -> None:
    ca_file, pem = tmp_path / "ca.pem", tmp_path / "own.pem"
    trustme.CA().issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(pem)
    own: dict[str, Any] = {"certfile": str(pem), "keyfile": str(pem)}
    with fakeissuer.running(tls=True, ca_file=ca_file) as issuer:
        for path, outcome in ((str(ca_file), Outcome.OK), (None, Outcome.FAIL)):
            client = JSONClient(ca_file=path)
            report = await _check(Settings(issuer=issuer.issuer_url(), port=0, ca_file=path, **own), client)
            assert Outcome.OK is _by_name(report)["TLS of the service"].outcome
            finding = _by_name(report)["TLS to the issuer"]
            assert (outcome, outcome is Outcome.OK) == (finding.outcome, report.passed)
            assert "certificate" in finding.found
            client.close()


class Unready:
    """A third-party validator that is ready, or fails with a detail."""

    def __init__(self, *, trouble: str) -> None:
        self._trouble = trouble

    async def validate(self, token: object) -> None:
        """Return None for every token."""

    async def check_ready(self) -> None:
        if self._trouble:
            raise IssuerUnavailable(self._trouble)

    async def close(self) -> None:
        """Do nothing."""


@pytest.mark.parametrize(("trouble", "outcome"), [("the vault is shut", Outcome.FAIL), ("", Outcome.OK)])
@pytest.mark.gen_test
async def test_a_custom_validator_is_checked_through_check_ready(
    trouble: str, outcome: Outcome, client: JSONClient, fake_issuer: RunningIssuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = types.ModuleType("plugin_of_test_check")
    module.build = lambda *_: Unready(trouble=trouble)  # type: ignore[attr-defined]  # a module made by hand
    monkeypatch.setitem(sys.modules, module.__name__, module)
    kind = f"{module.__name__}:build"
    tables = (
        IssuerSettings(issuer="https://x.example/", audience=("x",), validation=kind),
        IssuerSettings(issuer=fake_issuer.issuer_url("partner"), audience=("api://partner",)),
    )
    findings = _by_name(await _check(Settings(issuers=tables), client))
    finding = findings[f"https://x.example/ validator {kind}"]
    assert (outcome, True) == (finding.outcome, trouble in finding.found)
    assert "is part of the name" in findings["https://x.example/ issuer"].found
    assert Outcome.OK is findings[f"{fake_issuer.issuer_url('partner')} keys"].outcome


@pytest.mark.gen_test
async def test_control_characters_of_an_issuer_are_escaped(
    settings: Settings, client: JSONClient, fake_issuer: RunningIssuer
) -> None:
    document = json.loads(json.dumps(await _document(fake_issuer.issuer_url(), client)))
    fake_issuer.fail("discovery", status=200, body={**document, "issuer": "https://x.example/\x1b[2J\nok    all"})
    assert all(line.isprintable() for line in (await _check(settings, client)).lines())


@pytest.mark.gen_test
async def test_public_methods_are_counted(fake_issuer: RunningIssuer, client: JSONClient) -> None:
    report = await check(Settings(issuer=fake_issuer.issuer_url()), routes=ROUTES, client=client, clock=SystemClock())
    assert "ok      routes: 3 methods on 3 routes, 2 of them public" in report.lines()
    assert [True, False, True] == [row.is_public for row in report.rows]


@pytest.mark.gen_test
async def test_an_unprotected_route_fails_the_check(fake_issuer: RunningIssuer, client: JSONClient) -> None:
    routes = [(r"/old", RedirectHandler, {"url": "/"})]
    report = await check(Settings(issuer=fake_issuer.issuer_url()), routes=routes, client=client, clock=SystemClock())
    (line,) = [line for line in report.lines() if line.startswith("fail")]
    assert "fail    routes: '/old$' leads to GET of tornado.web.RedirectHandler" in line
    assert not report.passed


@pytest.mark.gen_test
async def test_the_profile_and_what_it_accepts_are_shown(client: JSONClient, fake_issuer: RunningIssuer) -> None:
    settings = Settings(issuer=fake_issuer.issuer_url(), profile="cognito", allowed_client_ids=("b", "a"))
    findings = _by_name(await _check(settings, client))
    assert "cognito: client in client_id, scopes in scope" in findings["profile"].found
    assert 'none; tokens without aud are accepted from "a" and "b"' in findings["audience"].found


@pytest.mark.gen_test
async def test_an_issuer_without_tls_is_reported(client: JSONClient) -> None:
    settings = Settings(issuer="http://keycloak.invalid/realms/one", audience=("a",), insecure_accept_http_issuer=True)
    finding = _by_name(await _check(settings, client))["TLS to the issuer"]
    assert (Outcome.WARN, "none, since insecure_accept_http_issuer is set") == (finding.outcome, finding.found)
