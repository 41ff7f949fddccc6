"""Each advice of ``check`` and ``explain`` is followed: the token is accepted then, or the check passes."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import trustme

from fakeissuer import RunningIssuer
from service.clock import SystemClock
from service.issuers.client import JSONClient
from service.operations.doctor.check import check
from service.operations.doctor.explain import explain
from service.operations.doctor.report import Outcome
from service.settings.program import Settings

CLIENT = {"client_id": "0oaapi00000000000001", "client_secret": "api-secret-for-tests-only-00000000001"}
WEB = "0oaweb00000000000001"
NO_AUDIENCE = {"active": True, "exp": 4_000_000_000, "client_id": WEB}
ZERO_EXP = {"active": True, "exp": 0, "client_id": WEB, "aud": "api://default"}

Arrange = Callable[[RunningIssuer], object]
Change = Callable[[RunningIssuer, Path], dict[str, Any]]


@pytest.fixture
def client() -> Any:
    client = JSONClient()
    yield client
    client.close()


def _nothing(_issuer: RunningIssuer) -> None:
    """Leave the issuer as it is."""


def _keys_file(issuer: RunningIssuer, folder: Path) -> dict[str, Any]:
    path = folder / "keys.json"
    path.write_text(json.dumps(dict(issuer.key_set())))
    return {"keys_file": str(path)}


def _without_modulus(issuer: RunningIssuer) -> None:
    keys = [{name: value for name, value in key.items() if name != "n"} for key in issuer.key_set()["keys"]]
    issuer.fail("keys", status=200, body={"keys": [*keys, {"kty": "AKP"}]})


def _one_without_modulus(issuer: RunningIssuer) -> None:
    first, second = issuer.key_set()["keys"]
    keys = [{name: value for name, value in key.items() if name != "n"} for key in (first, second)]
    other = {**second, "kid": "another"}
    issuer.fail("keys", status=200, body={"keys": [*keys, other]})


@dataclass(frozen=True, kw_only=True)
class TokenRow:
    """A token that is rejected, the advice, and what follows it: other settings, or another token."""

    token: Callable[[RunningIssuer], str]
    advice: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    arrange: Arrange = _nothing
    change: Change = lambda _issuer, _folder: {}
    better: Callable[[RunningIssuer], str] | None = None


def _set(**settings: Any) -> Change:
    return lambda _issuer, _folder: settings


def _minted(**members: Any) -> Callable[[RunningIssuer], str]:
    return lambda issuer: issuer.token(**members)


GOOD = _minted()
TOKENS: dict[str, TokenRow] = {
    "another audience": TokenRow(
        token=_minted(aud="api://x"), advice="set audience to it", change=_set(audience="api://x")
    ),
    "no audience": TokenRow(
        token=_minted(claims={"aud": None}),
        advice="set accept_tokens_without_audience to true, and allowed_client_ids",
        change=_set(accept_tokens_without_audience=True, allowed_client_ids=("0oaservice0000000001",)),
    ),
    "another issuer": TokenRow(
        token=_minted(server="partner", aud="api://default"),
        advice="set issuer to",
        change=lambda issuer, _: {"issuer": issuer.issuer_url("partner"), "audience": "api://default"},
    ),
    "another algorithm": TokenRow(
        token=_minted(alg="ES256"),
        advice="add it to the setting algorithms",
        change=_set(algorithms=("RS256", "ES256")),
    ),
    "too old": TokenRow(
        token=lambda issuer: issuer.token(claims={"iat": int(issuer.clock.now()) - 600}),
        settings={"max_token_age": 60},
        advice="set a longer max_token_age",
        change=_set(max_token_age=3600),
    ),
    "no type": TokenRow(
        token=GOOD,
        settings={"token_profile": "rfc9068"},
        advice="set token_profile to lenient",
        change=_set(token_profile="lenient"),
    ),
    "a missing claim": TokenRow(
        token=_minted(header={"typ": "at+jwt"}, claims={"client_id": None}),
        settings={"token_profile": "rfc9068"},
        advice="set token_profile to lenient",
        change=_set(token_profile="lenient"),
    ),
    "a hash": TokenRow(
        token=_minted(claims={"at_hash": "x"}),
        advice="set insecure_accept_id_token_hashes to true",
        change=_set(insecure_accept_id_token_hashes=True),
    ),
    "another client": TokenRow(
        token=_minted(cid=WEB),
        settings={"allowed_client_ids": ("0oaother",)},
        advice="add the client to allowed_client_ids",
        change=_set(allowed_client_ids=("0oaother", WEB)),
    ),
    "two clients": TokenRow(
        token=_minted(claims={"client_id": "one", "cid": "two"}),
        advice="set client_id_claims to the one",
        change=_set(client_id_claims=("cid",)),
    ),
    "an opaque token": TokenRow(
        token=_minted(opaque=True),
        settings={"validation": "jwt"},
        advice="set client_id and client_secret, and validation to auto",
        change=_set(validation="auto", **CLIENT),
    ),
    "a response without an audience": TokenRow(
        token=_minted(opaque=True),
        settings=CLIENT,
        arrange=lambda issuer: issuer.fail("introspect", status=200, body=NO_AUDIENCE | {"iss": issuer.issuer_url()}),
        advice="set insecure_accept_introspection_without_audience to true",
        change=_set(insecure_accept_introspection_without_audience=True),
    ),
    "a response with exp 0": TokenRow(
        token=_minted(opaque=True),
        settings=CLIENT,
        arrange=lambda issuer: issuer.fail("introspect", status=200, body=ZERO_EXP | {"iss": issuer.issuer_url()}),
        advice="set introspection_zero_exp_is_never to true",
        change=_set(introspection_zero_exp_is_never=True),
    ),
    "an unusable key": TokenRow(
        token=GOOD, arrange=_one_without_modulus, advice="set keys_file to it", change=_keys_file
    ),
    "a token of the org": TokenRow(
        token=_minted(server="org"), advice="request one from a custom authorization server", better=GOOD
    ),
    "an expired token": TokenRow(token=_minted(expires_in=-7200), advice="request a new token", better=GOOD),
    "an ID token": TokenRow(token=_minted(kind="id", aud="api://default"), advice="send the access token", better=GOOD),
    "a token bound to a key": TokenRow(
        token=_minted(dpop_jkt="x" * 43), settings={"dpop": "off"}, advice="request a bearer token", better=GOOD
    ),
    "another type": TokenRow(
        token=_minted(header={"typ": "logout+jwt"}), advice="send the access token instead", better=GOOD
    ),
    "an extension": TokenRow(token=_minted(header={"crit": ["x"]}), advice="leave it out", better=GOOD),
    "an unknown key": TokenRow(token=_minted(key="unpublished"), advice="request a new token", better=GOOD),
    "another signature": TokenRow(
        token=_minted(header={"kid": None}, key="unpublished"), advice="request a new one", better=GOOD
    ),
    "a large token": TokenRow(
        token=_minted(claims={"x": "x" * 20_000}), advice="configure the issuer to add fewer claims", better=GOOD
    ),
    "quotes": TokenRow(token=lambda issuer: f'"{issuer.token()}"', advice="leave them out", better=GOOD),
    "a whole response": TokenRow(
        token=lambda issuer: json.dumps({"access_token": issuer.token()}),
        advice="the value of access_token",
        better=GOOD,
    ),
}  # fmt: skip


@pytest.mark.parametrize("row", TOKENS.values(), ids=TOKENS.keys())
@pytest.mark.gen_test(timeout=30)
async def test_a_token_is_accepted_after_the_advice_is_followed(
    row: TokenRow, fake_issuer: RunningIssuer, client: JSONClient, tmp_path: Path
) -> None:
    settings = {"issuer": fake_issuer.issuer_url(), **row.settings}
    token = row.token(fake_issuer)
    row.arrange(fake_issuer)
    before = await explain(token, Settings(**settings), client=client, clock=SystemClock())
    assert not before.accepted
    (failed,) = [finding for finding in before.findings if finding.outcome is Outcome.FAIL]
    assert row.advice in failed.advice
    changed = Settings(**settings | row.change(fake_issuer, tmp_path))
    better = token if row.better is None else row.better(fake_issuer)
    after = await explain(better, changed, client=client, clock=SystemClock())
    assert after.accepted, after.lines()


@dataclass(frozen=True, kw_only=True)
class CheckRow:
    """A check that fails or warns, its advice, and other settings that follow it."""

    about: str
    advice: str
    change: Change
    settings: Mapping[str, Any] = field(default_factory=dict)
    arrange: Arrange = _nothing


def _certificate(_issuer: RunningIssuer, folder: Path) -> dict[str, Any]:
    authority = trustme.CA()
    certificate = authority.issue_cert("localhost")
    certificate.private_key_and_cert_chain_pem.write_to_path(str(folder / "both.pem"))
    return {"certfile": str(folder / "both.pem"), "keyfile": str(folder / "both.pem")}


CHECKS: dict[str, CheckRow] = {
    "no discovery document": CheckRow(
        about="discovery",
        arrange=lambda issuer: issuer.fail("discovery", status=404),
        settings={"profile": "generic", "audience": "api://default"},
        advice="or jwks_uri if there is none",
        change=lambda issuer, _: {"jwks_uri": f"{issuer.issuer_url()}/v1/keys"},
    ),
    "the issuer has another name": CheckRow(
        about="issuer in the document",
        settings={"profile": "generic", "audience": "api://default", "issuer": "http://localhost:{port}/oauth2/default"},
        advice="set issuer to http://127.0.0.1",
        change=lambda issuer, _: {"issuer": issuer.issuer_url()},
    ),
    "tokens have another issuer than the document": CheckRow(
        about="issuer in the document",
        settings={"profile": "generic", "audience": "api://default", "issuer": "http://localhost:{port}/oauth2/default"},
        advice="set metadata_url to the URL by which this service reaches the document",
        change=lambda issuer, _: {"metadata_url": f"{issuer.issuer_url()}/.well-known/openid-configuration"},
    ),
    "no jwks_uri": CheckRow(
        about="jwks_uri",
        arrange=lambda issuer: issuer.fail("discovery", status=200, body={"issuer": issuer.issuer_url()}),
        advice="set jwks_uri",
        change=lambda issuer, _: {"jwks_uri": f"{issuer.issuer_url()}/v1/keys"},
    ),
    "no usable key": CheckRow(
        about="keys", arrange=_without_modulus, advice="set keys_file to it", change=_keys_file
    ),
    "no key for the algorithm": CheckRow(
        about="algorithms",
        settings={"algorithms": ("ES256",)},
        advice="set algorithms to those of the issuer, RS256",
        change=_set(algorithms=("RS256",)),
    ),
    "an unused algorithm": CheckRow(
        about="algorithms",
        settings={"algorithms": ("RS256", "ES256")},
        advice="remove the algorithms that the issuer does not use",
        change=_set(algorithms=("RS256",)),
    ),
    "any origin": CheckRow(
        about="CORS origins",
        settings={"cors_origins": ("*",)},
        advice="list your own origins in cors_origins",
        change=_set(cors_origins=("https://app.example.com",)),
    ),
    "an origin without TLS": CheckRow(
        about="CORS origins",
        settings={"cors_origins": ("http://app.example.com",)},
        advice="use https there",
        change=_set(cors_origins=("https://app.example.com",)),
    ),
    "no TLS": CheckRow(
        about="TLS of the service",
        settings={"address": "0.0.0.0"},  # the situation
        advice="set certfile and keyfile",
        change=_certificate,
    ),
    "a cache that does not respond": CheckRow(
        about="shared cache",
        settings={"cache_url": "redis://127.0.0.1:1/0", "cache_secret": "x" * 32},
        advice="is the port in cache_url right",
        change=_set(cache_url="memory://"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("row", CHECKS.values(), ids=CHECKS.keys())
@pytest.mark.gen_test(timeout=30)
async def test_a_check_passes_after_its_advice_is_followed(
    row: CheckRow, fake_issuer: RunningIssuer, client: JSONClient, tmp_path: Path
) -> None:
    settings = {"issuer": fake_issuer.issuer_url(), **row.settings}
    settings["issuer"] = settings["issuer"].replace("{port}", fake_issuer.url.rpartition(":")[2])
    row.arrange(fake_issuer)
    before = await check(Settings(**settings), client=client, clock=SystemClock())
    (found,) = [finding for finding in before.findings if finding.about == row.about]
    assert found.outcome in {Outcome.FAIL, Outcome.WARN}
    assert row.advice in found.advice
    changed = Settings(**settings | row.change(fake_issuer, tmp_path))
    after = await check(changed, client=client, clock=SystemClock())
    assert after.passed, after.lines()
    outcomes = {finding.outcome for finding in after.findings if finding.about == row.about}
    assert outcomes <= {Outcome.OK}, after.lines()
