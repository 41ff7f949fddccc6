from __future__ import annotations

from typing import Any

import pytest

from fakeissuer import RunningIssuer
from service.clock import SystemClock
from service.issuers.client import JSONClient
from service.operations.doctor.explain import explain
from service.operations.doctor.report import Outcome
from service.settings.program import Settings

CLIENT = {"client_id": "0oaapi00000000000001", "client_secret": "api-secret-for-tests-only-00000000001"}


NO_AUDIENCE = {"active": True, "exp": 4_000_000_000}


async def _report(token: str, client: JSONClient, issuer: RunningIssuer, **terms: Any) -> str:
    settings = Settings(**({"issuer": issuer.issuer_url()} | CLIENT | terms))
    return "\n".join((await explain(token, settings, client=client, clock=SystemClock())).lines())


@pytest.mark.parametrize("validation", ["auto", "introspection"])
@pytest.mark.gen_test
async def test_the_setting_for_a_response_without_an_audience_is_named(
    validation: str, client: JSONClient, fake_issuer: RunningIssuer
) -> None:
    fake_issuer.fail("introspect", status=200, body=NO_AUDIENCE | {"iss": fake_issuer.issuer_url()})
    report = await _report("opaque", client, fake_issuer, validation=validation)
    assert "fail    by the response, it is intended for this API\n        found     no aud" in report
    assert "fix       configure the issuer to add an aud; or" in report
    assert "set insecure_accept_introspection_without_audience to true" in report
    setting = {"insecure_accept_introspection_without_audience": True}
    assert "conclusion: accepted" in await _report("opaque", client, fake_issuer, validation=validation, **setting)


ADVICE: dict[str, tuple[dict[str, Any], str]] = {
    "another audience": ({"aud": "api://other"}, "request a token for this API"),
    "an ID token": ({"kind": "id", "aud": "api://default"}, "send the access token"),
    "another type": ({"header": {"typ": "logout+jwt"}}, "send the access token"),
    "an extension": ({"header": {"crit": ["x"]}}, "request a new token"),
}


@pytest.mark.parametrize(("members", "advice"), ADVICE.values(), ids=ADVICE.keys())
@pytest.mark.gen_test
async def test_a_jwt_that_is_rejected_before_introspection_has_the_advice_of_its_claim(
    members: dict[str, Any], advice: str, client: JSONClient, fake_issuer: RunningIssuer
) -> None:
    report = await _report(fake_issuer.token(**members), client, fake_issuer, validation="introspection")
    assert f"fix       {advice}" in report
    assert report.startswith("header, unverified:")
    assert "\nclaims, unverified:" in report
    assert "insecure" not in report.lower()
    assert 0 == fake_issuer.requests("introspect").count


@pytest.mark.parametrize("validation", ["auto", "introspection"])
@pytest.mark.gen_test
async def test_a_malformed_jwt_is_not_introspected(
    validation: str, client: JSONClient, fake_issuer: RunningIssuer
) -> None:
    report = await _report(f"{fake_issuer.token()}==", client, fake_issuer, validation=validation)
    assert "fail    it is a JWT: three parts in base64url" in report
    assert 0 == fake_issuer.requests("introspect").count


async def _explained(
    token: str, client: JSONClient, issuer: RunningIssuer, **terms: Any
) -> tuple[bool, dict[str, str]]:
    settings = Settings(**({"issuer": issuer.issuer_url()} | CLIENT | terms))
    explanation = await explain(token, settings, client=client, clock=SystemClock())
    assert token not in "\n".join(explanation.lines())
    asked = {f.about: f.found for f in explanation.findings if f.outcome in {Outcome.OK, Outcome.FAIL}}
    return explanation.accepted, asked


@pytest.mark.parametrize("validation", ["auto", "introspection"])
@pytest.mark.gen_test
async def test_an_opaque_token_is_introspected(validation: str, client: JSONClient, fake_issuer: RunningIssuer) -> None:
    token = fake_issuer.token(opaque=True)
    accepted, _ = await _explained(token, client, fake_issuer, validation=validation)
    assert accepted
    fake_issuer.revoke(token)
    accepted, asked = await _explained(token, client, fake_issuer, validation=validation)
    assert not accepted
    assert any("active: False" in seen for seen in asked.values())


@pytest.mark.gen_test
async def test_auto_applies_the_local_rules_to_a_jwt(client: JSONClient, fake_issuer: RunningIssuer) -> None:
    accepted, asked = await _explained(fake_issuer.token(), client, fake_issuer)
    assert accepted
    assert any("skipped, since the token is a JWT" in seen for seen in asked.values())
    assert 0 == fake_issuer.requests("introspect").count


@pytest.mark.gen_test
async def test_hybrid_introspects_after_all_local_rules(client: JSONClient, fake_issuer: RunningIssuer) -> None:
    token = fake_issuer.token()
    accepted, asked = await _explained(token, client, fake_issuer, validation="hybrid")
    assert (True, "active") == (accepted, asked["introspection reports it as active"])
    fake_issuer.revoke(token)
    accepted, _ = await _explained(token, client, fake_issuer, validation="hybrid")
    assert not accepted
    assert "revoked, or is of another issuer" in await _report(token, client, fake_issuer, validation="hybrid")


@pytest.mark.gen_test
async def test_a_hybrid_issuer_does_not_affect_another_issuer(client: JSONClient, fake_issuer: RunningIssuer) -> None:
    other = {"issuer": fake_issuer.issuer_url("partner"), "audience": "api://partner", "validation": "jwt"}
    token = fake_issuer.token(server="partner")
    accepted, asked = await _explained(token, client, fake_issuer, validation="hybrid", issuers=[other])
    assert accepted
    assert "skipped" in asked["if its issuer is validated in hybrid mode, it is introspected, too"]
