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


@pytest.mark.gen_test
async def test_a_hybrid_issuer_does_not_affect_another_issuer(client: JSONClient, fake_issuer: RunningIssuer) -> None:
    other = {"issuer": fake_issuer.issuer_url("partner"), "audience": "api://partner", "validation": "jwt"}
    token = fake_issuer.token(server="partner")
    accepted, asked = await _explained(token, client, fake_issuer, validation="hybrid", issuers=[other])
    assert accepted
    assert "skipped" in asked["introspection reports it as active"]
