from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from jwt.algorithms import ECAlgorithm

from fakeissuer import RunningIssuer, running
from service.clock import SystemClock
from service.issuers.client import JSONClient
from service.operations.doctor.check import check
from service.operations.doctor.report import Finding, Outcome
from service.settings.program import Settings

PRIVATE_KEY = generate_private_key(SECP256R1())
SECRET = "a secret+with%2Bevery/kind=of;sign"  # of the fake issuer
PLAIN = "a-secret-of-letters-only"

CONFIG = f"""
[variants]
decodes_basic = false
[clients.both]
name = "both"
secret = {json.dumps(SECRET)}
[clients.basic]
name = "basic"
secret = {json.dumps(SECRET)}
auth_methods = ["client_secret_basic"]
[clients.plain]
name = "plain"
secret = {json.dumps(PLAIN)}
auth_methods = ["client_secret_basic"]
[clients.posting]
name = "posting"
secret = {json.dumps(PLAIN)}
auth_methods = ["client_secret_post"]
[clients.hashing]
name = "hashing"
secret = "{PLAIN * 2}"
auth_methods = ["client_secret_jwt"]
[clients.public]
name = "public"
auth_methods = ["none"]
[clients.keys]
name = "keys"
auth_methods = ["private_key_jwt"]
[clients.keys.jwks]
keys = [JWK]
"""

API = {"client_id": "0oaapi00000000000001", "client_secret": "api-secret-for-tests-only-00000000001"}


class Case(NamedTuple):
    """Wrong settings, a part of the advice on them, and the settings after the advice was followed."""

    settings: dict[str, Any]
    advice: str
    followed: dict[str, Any]


BASIC = {"introspection_auth_method": "client_secret_basic"}
CASES = {
    "a server that does not decode Basic": Case(
        {"client_id": "both", "client_secret": SECRET},
        "(RFC 6749 section 2.3.1): set introspection_auth_method to client_secret_post",
        {"client_id": "both", "client_secret": SECRET, "introspection_auth_method": "client_secret_post"},
    ),
    "a server that decodes nothing and has no other method": Case(
        {"client_id": "basic", "client_secret": SECRET},
        "give the client a secret of letters and digits only",
        {"client_id": "plain", "client_secret": PLAIN},
    ),
    "a client of client_secret_post": Case(
        {"client_id": "posting", "client_secret": PLAIN, **BASIC},
        "set introspection_auth_method to client_secret_post",
        {"client_id": "posting", "client_secret": PLAIN, "introspection_auth_method": "client_secret_post"},
    ),
    "a client of client_secret_jwt": Case(
        {"client_id": "hashing", "client_secret": PLAIN * 2},
        "set introspection_auth_method to client_secret_jwt",
        {"client_id": "hashing", "client_secret": PLAIN * 2, "introspection_auth_method": "client_secret_jwt"},
    ),
    "a public client": Case(
        {"client_id": "public", "client_secret": "abc", **BASIC},
        "this client is public: remove client_secret and introspection_auth_method",
        {"client_id": "public"},
    ),
    "a secret in quotes": Case(
        {"client_id": "plain", "client_secret": f'"{PLAIN}"'},
        "client_secret is accepted without the spaces or quotes around it",
        {"client_id": "plain", "client_secret": PLAIN},
    ),
    "a client ID in quotes": Case(
        {"client_id": "'plain'", "client_secret": PLAIN},
        "client_id is accepted without the spaces or quotes around it",
        {"client_id": "plain", "client_secret": PLAIN},
    ),
    "an encoded secret": Case(
        {"client_id": "plain", "client_secret": "a%2Dsecret-of-letters-only"},
        "client_secret is accepted with its %XX and + decoded",
        {"client_id": "plain", "client_secret": PLAIN},
    ),
    "an unknown client": Case(
        {"client_id": "plein", "client_secret": PLAIN},
        '"plein" gets the response of a client that does not exist',
        {"client_id": "plain", "client_secret": PLAIN},
    ),
    "the secret of another client": Case(
        {"client_id": "plain", "client_secret": "api-secret-for-tests-only-00000000001"},
        'Set client_secret or private_key_file to that of "plain"',
        {"client_id": "plain", "client_secret": PLAIN},
    ),
    "a secret in place of a key": Case(
        {"client_id": "keys", "client_secret": PLAIN},
        'Set client_secret or private_key_file to that of "keys"',
        {"client_id": "keys", "private_key_file": "right.pem"},
    ),
    "a key that is not registered": Case(
        {"client_id": "keys", "private_key_file": "wrong.pem"},
        "register the public key of private_key_file",
        {"client_id": "keys", "private_key_file": "right.pem"},
    ),
    "a key in place of a secret": Case(
        {"client_id": "plain", "private_key_file": "right.pem"},
        '"plain" is a client of this issuer: register the public key',
        {"client_id": "plain", "client_secret": PLAIN},
    ),
    "a key of a public client": Case(
        {"client_id": "public", "private_key_file": "right.pem"},
        "this client is public: remove private_key_file",
        {"client_id": "public"},
    ),
    "a missing secret": Case(
        {"client_id": "plain"},
        '"plain" is not a public client: set client_secret or private_key_file',
        {"client_id": "plain", "client_secret": PLAIN},
    ),
    "an unknown public client": Case(
        {"client_id": "plein"}, '"plein" gets the response of a client', {"client_id": "public"}
    ),
}


@pytest.fixture(scope="module")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningIssuer]:
    file = tmp_path_factory.mktemp("issuer") / "issuer.toml"
    jwk = ECAlgorithm.to_jwk(PRIVATE_KEY.public_key(), as_dict=True)
    members = ", ".join(f"{name} = {json.dumps(value)}" for name, value in jwk.items())
    file.write_text(CONFIG.replace("JWK", f"{{{members}}}"))
    with running(config_file=file) as issuer:
        yield issuer


@pytest.fixture
def files(tmp_path: Path) -> Path:
    _write_key(tmp_path / "right.pem", PRIVATE_KEY)
    _write_key(tmp_path / "wrong.pem", generate_private_key(SECP256R1()))
    return tmp_path


def _write_key(path: Path, key: EllipticCurvePrivateKey) -> None:
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


async def _check(issuer: RunningIssuer, client: JSONClient, files: Path, values: dict[str, Any]) -> Finding:
    if "private_key_file" in values:
        values = values | {"private_key_file": str(files / values["private_key_file"])}
    report = await check(Settings(issuer=issuer.issuer_url(), **values), client=client, clock=SystemClock())
    return next(finding for finding in report.findings if finding.about == "introspection")


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
@pytest.mark.gen_test
async def test_following_the_advice_on_rejected_credentials_leads_to_a_check_that_passes(
    case: Case, issuer: RunningIssuer, client: JSONClient, files: Path
) -> None:
    finding = await _check(issuer, client, files, case.settings)
    assert (Outcome.FAIL, True) == (finding.outcome, case.advice in finding.advice), finding.line()
    assert case.settings.get("client_secret", "\0") not in finding.line()
    assert Outcome.OK is (await _check(issuer, client, files, case.followed)).outcome


NO_DIFFERENCE = "the response of a client that does not exist: set client_id and its secret"
NO_CAUSE = "get 503 until it responds"
FAULTS: dict[str, tuple[list[dict[str, Any]], str]] = {
    "the same response to every mistake": (
        [{"status": 401, "body": {"error": "invalid_client"}}],
        NO_DIFFERENCE,
    ),
    "a rejection that is not JSON": ([{"status": 401, "body": "no"}], NO_DIFFERENCE),
    "a rejection with status 400": ([{"status": 400, "body": {"error": "invalid_client"}}], NO_DIFFERENCE),
    "another error with status 400": ([{"status": 400, "body": {"error": "invalid_request"}}], NO_CAUSE),
    "a client that may not introspect": ([{"status": 403, "times": 6}], "may not introspect: allow that at the issuer"),
    "an outage after the rejection": ([{"status": 401, "times": 2}, {"drop": True}], NO_CAUSE),
    "a rejection that has ended": ([{"status": 401, "times": 2}], NO_CAUSE),
}


@pytest.mark.parametrize(("faults", "advice"), FAULTS.values(), ids=FAULTS.keys())
@pytest.mark.gen_test
async def test_a_cause_that_cannot_be_told_apart_is_not_named(
    faults: list[dict[str, Any]], advice: str, fake_issuer: RunningIssuer, client: JSONClient, files: Path
) -> None:
    for fault in faults:
        fake_issuer.fail("introspect", **fault)
    finding = await _check(fake_issuer, client, files, API)
    assert (Outcome.FAIL, True) == (finding.outcome, advice in finding.advice), finding.line()


@pytest.mark.gen_test
async def test_metadata_that_lists_other_methods_can_be_overruled(
    fake_issuer: RunningIssuer, client: JSONClient, files: Path
) -> None:
    issuer = fake_issuer.issuer_url()
    document = {
        "issuer": issuer,
        "jwks_uri": f"{issuer}/v1/keys",
        "introspection_endpoint": f"{issuer}/v1/introspect",
        "introspection_endpoint_auth_methods_supported": ["tls_client_auth"],
    }
    fake_issuer.fail("discovery", status=200, body=document)
    finding = await _check(fake_issuer, client, files, API)
    assert "set introspection_auth_method to client_secret_basic" in finding.advice
    assert Outcome.OK is (await _check(fake_issuer, client, files, API | BASIC)).outcome
    finding = await _check(fake_issuer, client, files, API | {"client_id": "unknown"})
    assert NO_DIFFERENCE in finding.advice
