from __future__ import annotations

from typing import Any

import pytest

from fakeissuer import DPoPClient, RunningIssuer
from service.__main__ import main
from service.errors import Reason
from service.operations.doctor.proof_rules import ProofRequest, explain_proof
from service.operations.doctor.report import Outcome
from service.settings.program import Settings
from service.tokens.principal import Principal

NOW, URL, TOKEN = 1_700_000_000.0, "https://api.example.com/orders", "a-token"
KEY = DPoPClient(now=lambda: NOW)
SETTINGS = Settings(issuer="https://issuer.example", audience=("api",))


def _principal(**claims: Any) -> Principal:
    return Principal.from_claims({"iss": "https://issuer.example", "exp": 2_000_000_000} | claims)


BOUND = _principal(cnf={"jkt": KEY.thumbprint})


def _explain(principal: Principal, request: ProofRequest | None) -> tuple[list[str], str]:
    findings, error = explain_proof(principal, TOKEN, request, settings=SETTINGS, now=NOW)
    return [finding.outcome for finding in findings], "accepted" if error is None else error.reason


def _request(**changes: Any) -> ProofRequest:
    return ProofRequest(proof=KEY.proof("GET", URL, access_token=TOKEN, **changes), method="GET", url=URL)


def test_a_bearer_token_has_no_rules_for_a_proof() -> None:
    assert ([], "accepted") == _explain(_principal(), None)
    assert ([Outcome.FAIL], Reason.NOT_BOUND) == _explain(_principal(), _request())


@pytest.mark.parametrize("cnf", [{"jkt": "k" * 43}, {"x5t#S256": "k" * 43}, {"jkt": "k" * 43, "x5t#S256": "c" * 43}])
def test_a_bound_token_alone_is_rejected(cnf: dict[str, str]) -> None:
    findings, error = explain_proof(_principal(cnf=cnf), TOKEN, None, settings=SETTINGS, now=NOW)
    assert error is not None
    assert Reason.SENDER_CONSTRAINED is error.reason
    assert all(name in findings[0].found for name in cnf)


def test_a_good_proof_passes_every_rule_that_can_be_applied() -> None:
    outcomes, reason = _explain(BOUND, _request())
    assert ("accepted", Outcome.SKIPPED, {Outcome.OK}) == (reason, outcomes[-1], set(outcomes[:-1]))


@pytest.mark.parametrize(
    ("changes", "reason", "passed"),
    [
        ({"header": {"jwk": None}}, Reason.PROOF_KEY, 0),
        ({"header": {"crit": ["x"]}}, Reason.MALFORMED_PROOF, 0),
        ({"header": {"typ": "JWT"}}, Reason.PROOF_TYPE, 1),
        ({"header": {"alg": "ES256K"}}, Reason.PROOF_ALGORITHM, 2),
        ({"claims": {"htm": "POST"}}, Reason.PROOF_METHOD, 3),
        ({"claims": {"htu": "https://other.example/"}}, Reason.PROOF_URL, 4),
        ({"claims": {"iat": NOW - 90}}, Reason.PROOF_TOO_OLD, 5),
        ({"claims": {"iat": "now"}}, Reason.MALFORMED_PROOF, 5),
        ({"claims": {"jti": None}}, Reason.MALFORMED_PROOF, 6),
        ({"claims": {"ath": None}}, Reason.PROOF_TOKEN, 7),
        ({"header": {"jwk": DPoPClient().public_jwk}}, Reason.PROOF_KEY_MISMATCH, 8),
    ],
)
def test_the_first_broken_rule_is_named(changes: dict[str, Any], reason: Reason, passed: int) -> None:
    outcomes, found = _explain(BOUND, _request(**changes))
    expected = [Outcome.OK] * passed + [Outcome.FAIL] + [Outcome.SKIPPED] * (len(outcomes) - passed - 1)
    assert (reason, expected) == (found, outcomes)


def test_the_command_explains_a_token_with_its_proof(
    fake_issuer: RunningIssuer, dpop_client: DPoPClient, capsys: pytest.CaptureFixture[str]
) -> None:
    token = fake_issuer.token(dpop_jkt=dpop_client.thumbprint)
    proof = dpop_client.proof("GET", URL, access_token=token)
    common = ["explain", token, "--issuer", fake_issuer.issuer_url()]
    assert 0 == main([*common, "--dpop", proof, "--method", "GET", "--url", URL])
    accepted = capsys.readouterr().out
    assert "conclusion: accepted" in accepted
    assert proof not in accepted
    assert 1 == main([*common, "--dpop", proof, "--method", "POST", "--url", URL])
    assert "fail    its htm is the method" in capsys.readouterr().out
    assert 1 == main(common)
    assert "rejected (sender_constrained)" in capsys.readouterr().out
    for wrong in ([*common, "--dpop", proof], ["run", "--url", URL]):
        with pytest.raises(SystemExit):
            main(wrong)
