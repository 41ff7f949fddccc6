from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as profile
from hypothesis import strategies as st

from fakeissuer import RunningIssuer
from service.authenticator import Authenticator
from service.binding import BindingCheck
from service.caches.deny_list import DenyList
from service.caches.shared import open_cache
from service.caches.tokens import ValidatedTokenCache
from service.clock import ManualClock, SystemClock
from service.errors import InvalidToken, IssuerUnavailable, Reason, TokenError
from service.issuers.client import JSONClient
from service.operations.doctor.explain import Explanation, explain
from service.operations.doctor.report import Outcome
from service.operations.doctor.rules import RULES
from service.settings.issuers import IssuerSettings, TrustedIssuer
from service.settings.program import Settings
from service.tokens.claims import CHECKS
from service.tokens.credentials import Credentials
from service.tokens.presented import PresentedToken
from service.tokens.principal import Principal
from service.validators.base import ValidatorContext
from service.validators.registry import find_factory
from service.web.credentials.sources import parse_token


async def _explain(text: str, settings: Settings, client: JSONClient) -> Explanation:
    return await explain(text, settings, client=client, clock=SystemClock())


def _reason(explanation: Explanation) -> Reason:
    assert isinstance(explanation.conclusion, TokenError)
    return explanation.conclusion.reason


def _failed(explanation: Explanation) -> tuple[str, str]:
    """Return the rule that failed, and its line in the report."""
    (finding,) = [finding for finding in explanation.findings if finding.outcome is Outcome.FAIL]
    return finding.about, finding.line()


def _part(value: object) -> str:
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@pytest.mark.gen_test
async def test_a_good_token_passes_every_rule(
    fake_issuer: RunningIssuer, settings: Settings, client: JSONClient
) -> None:
    explanation = await _explain(fake_issuer.token(sub="alice@example.com", scp="api:read"), settings, client)
    assert explanation.accepted
    assert [rule.description for rule in RULES] == [finding.about for finding in explanation.findings]
    assert {Outcome.OK} == {finding.outcome for finding in explanation.findings}
    report = "\n".join(explanation.lines())
    assert 'conclusion: accepted: subject "alice@example.com"' in report
    assert "scopes: api:read" in report
    assert "in 59 minutes" in report or "in 60 minutes" in report


def test_every_claim_check_of_the_service_is_a_rule() -> None:
    assert [check.description for check in CHECKS] == [rule.description for rule in RULES[-len(CHECKS) - 1 : -1]]


async def _reason_of_the_service(text: str, settings: Settings, client: JSONClient) -> str:
    """Return the reason for which the service rejects a token, or ``accepted``."""
    time = SystemClock()
    cache = open_cache("memory://", clock=time)
    context = ValidatorContext(client=client, clock=time, token_cache=ValidatedTokenCache(clock=time), cache=cache)
    (issuer,) = settings.trusted_issuers
    validators = [find_factory(issuer.validation)(issuer, context)]
    authenticator = Authenticator(
        validators,
        token_cache=context.token_cache,
        deny_list=DenyList(cache, clock=time),
        binding=BindingCheck(cache, clock=time),
    )
    try:
        parse_token(text)
        await authenticator.authenticate(Credentials(scheme="Bearer", token=text))
    except TokenError as exc:
        return exc.reason
    finally:
        await authenticator.close()
    return "accepted"


@pytest.mark.gen_test(timeout=60)
async def test_every_bad_token_has_the_reason_of_the_service(
    fake_issuer: RunningIssuer, settings: Settings, client: JSONClient
) -> None:
    expected, got = {}, {}
    for bad in fake_issuer.bad_tokens():
        explanation = await _explain(bad.token, settings, client)
        expected[bad.name] = await _reason_of_the_service(bad.token, settings, client)
        got[bad.name] = str(_reason(explanation))
        rule, report = _failed(explanation)
        outcomes = [finding.outcome for finding in explanation.findings]
        place = outcomes.index(Outcome.FAIL)
        assert [Outcome.OK] * place == outcomes[:place], bad.name
        assert {Outcome.SKIPPED} >= set(outcomes[place + 1 :]), bad.name
        assert [rule] == [known.description for known in RULES[place : place + 1]] or bad.name == "cnf-as-bearer"
        assert len(report) > len(rule) + 20, bad.name
        assert f"the service responds with {bad.status}" in explanation.lines()[-1]
        assert bad.token not in "\n".join(explanation.lines())
    assert expected == got


CLIENT = {"client_id": "0oaapi00000000000001", "client_secret": "api-secret-for-tests-only-00000000001"}


@pytest.mark.parametrize("validation", ["introspection", "auto", "hybrid"])
@pytest.mark.gen_test(timeout=60)
async def test_every_bad_token_has_the_reason_of_the_service_by_each_way_of_validation(
    validation: str, fake_issuer: RunningIssuer, client: JSONClient
) -> None:
    chosen: dict[str, Any] = {"validation": validation, **CLIENT}
    settings = Settings(issuer=fake_issuer.issuer_url(), **chosen)
    expected, got = {}, {}
    for bad in fake_issuer.bad_tokens():
        expected[bad.name] = await _reason_of_the_service(bad.token, settings, client)
        explanation = await _explain(bad.token, settings, client)
        got[bad.name] = str(_reason(explanation))
        assert bad.token not in "\n".join(explanation.lines())
    assert expected == got


TWICE = b'{"a": 1, "a": 2}'
REJECTED: dict[str, tuple[Callable[[RunningIssuer], str], str, str]] = {
    "an empty text": (lambda _: "", "characters of a bearer token", "it is empty"),
    "a token in quotes": (lambda issuer: f'"{issuer.token()}"', "characters of a bearer token", "quotes"),
    "a token on two lines": (
        lambda issuer: issuer.token().replace(".", ".\n"),
        "characters of a bearer token",
        "several lines",
    ),
    "a whole token response": (
        lambda issuer: json.dumps({"access_token": issuer.token()}),
        "characters of a bearer token",
        "access_token",
    ),
    "a JWS as JSON": (lambda _: '{"payload": "e30"}', "characters of a bearer token", "compact form"),
    "two tokens": (lambda issuer: f"{issuer.token()},{issuer.token()}", "characters of a bearer token", "comma"),
    "a percent-encoded token": (
        lambda issuer: issuer.token().replace(".", "%2E"),
        "characters of a bearer token",
        "percent-encoded",
    ),
    "a huge token": (lambda issuer: issuer.token(claims={"x": "x" * 20_000}), "size limit", "max_token_size"),
    "an opaque token": (lambda issuer: issuer.token(kind="refresh"), "three parts", "it can only be introspected"),
    "half a token": (lambda issuer: issuer.token().rpartition(".")[0], "three parts", "truncated"),
    "an encrypted token": (lambda issuer: f"{issuer.token()}.a.b", "three parts", "encrypted"),
    "a padded signature": (lambda issuer: f"{issuer.token()}==", "three parts", "the signature: "),
    "a header that is not JSON": (
        lambda _: f"{_part(b'no')}.{_part({})}.abcd",
        "its header is",
        "one JSON object in UTF-8",
    ),
    "claims that are not UTF-8": (lambda _: f"{_part({})}.{_part(bytes([255]))}.abcd", "its claims are", "in UTF-8"),
    "a repeated name": (lambda _: f"{_part({})}.{_part(TWICE)}.abcd", "its claims are", "each name once"),
    "a slash at the end": (lambda i: i.token(claims={"iss": f"{i.issuer_url()}/"}), "issuer", "slash at the end"),
    "no issuer": (lambda issuer: issuer.token(claims={"iss": None}), "its issuer is trusted", "iss = null"),
    "an unknown issuer": (lambda i: i.token(claims={"iss": "https://x.example"}), "its issuer", "OKTA_OAUTH2_ISSUER"),
    "a token of the org server": (
        lambda issuer: issuer.token(server="org"),
        "its issuer is trusted",
        "Okta org server",
    ),
    "the type of the org server": (
        lambda issuer: issuer.token(header={"typ": "application/okta-internal-at+jwt"}),
        "its type",
        "Okta org server",
    ),
    "HS256": (lambda issuer: issuer.token(alg="HS256"), "its algorithm is allowed", "expected RS256"),
    "an extension": (lambda issuer: issuer.token(header={"crit": ["x"]}), "requires no extension", 'crit = ["x"]'),
    "a kid that is a number": (lambda issuer: issuer.token(header={"kid": 1}), "its key ID", "kid = 1"),
    "an unknown key": (
        lambda issuer: issuer.token(key="unpublished"),
        "published by the issuer",
        "one of the issuer",
    ),
    "another signature": (lambda i: i.token(header={"kid": None}, key="unpublished"), "signature", "one of 2 keys"),
    "an old token": (lambda issuer: issuer.token(expires_in=-7200), "it has not expired", "2 hours ago"),
    "another audience": (
        lambda issuer: issuer.token(aud="api://x"),
        "intended for this API",
        'expected "api://default"',
    ),
    "an ID token": (lambda i: i.token(kind="id", aud="api://default"), "no ID token", "send the access token"),
    "a sender-constrained token": (
        lambda issuer: issuer.token(dpop_jkt="x" * 43),
        "proves that they hold its key",
        "explain TOKEN --dpop PROOF",
    ),
    "a date that is a string": (
        lambda issuer: issuer.token(claims={"exp": "soon"}),
        "not expired",
        "not a NumericDate",
    ),
    "the year 300000": (lambda i: i.token(claims={"nbf": 9_999_999_999_999}), "valid already", "beyond the calendar"),
}


@pytest.mark.parametrize(("make", "rule", "words"), REJECTED.values(), ids=REJECTED.keys())
@pytest.mark.gen_test
async def test_the_failed_rule_has_advice(
    make: Callable[[RunningIssuer], str],
    rule: str,
    words: str,
    fake_issuer: RunningIssuer,
    settings: Settings,
    client: JSONClient,
) -> None:
    explanation = await _explain(make(fake_issuer), settings, client)
    about, report = _failed(explanation)
    assert rule in about + report
    assert words in report


@pytest.mark.parametrize(
    "wrapping", ["Bearer {}", "bearer  {}\n", " {}", "Authorization: Bearer {}", "Authorization:{}"]
)
@pytest.mark.gen_test
async def test_a_token_in_pasted_text_is_explained_with_a_remark(
    wrapping: str, fake_issuer: RunningIssuer, settings: Settings, client: JSONClient
) -> None:
    explanation = await _explain(wrapping.format(fake_issuer.token()), settings, client)
    assert explanation.accepted
    assert explanation.lines()[0].endswith(("was removed.", "must not send it."))


@pytest.mark.parametrize("endpoint", ["discovery", "keys"])
@pytest.mark.gen_test
async def test_an_unavailable_issuer_leaves_the_token_undecided(
    endpoint: Any, fake_issuer: RunningIssuer, settings: Settings, client: JSONClient
) -> None:
    fake_issuer.fail(endpoint, status=500)
    explanation = await _explain(fake_issuer.token(), settings, client)
    assert not explanation.accepted
    assert isinstance(explanation.conclusion, IssuerUnavailable)
    (finding,) = [finding for finding in explanation.findings if finding.outcome is Outcome.UNKNOWN]
    assert "expected 200, got 500" in finding.found
    assert "undecided" in explanation.lines()[-1]
    assert "the service responds with 503" in explanation.lines()[-1]


@pytest.mark.gen_test
async def test_a_token_that_fails_early_causes_no_request(
    fake_issuer: RunningIssuer, settings: Settings, client: JSONClient
) -> None:
    await _explain(fake_issuer.token(alg="HS256"), settings, client)
    assert 0 == fake_issuer.requests().count


@pytest.mark.gen_test
async def test_the_settings_of_the_tokens_issuer_apply(fake_issuer: RunningIssuer, client: JSONClient) -> None:
    tables = (
        IssuerSettings(issuer=fake_issuer.issuer_url("default"), audience=("api://default",)),
        IssuerSettings(issuer=fake_issuer.issuer_url("partner"), audience=("api://partner",), max_token_age=10),
    )
    settings = Settings(issuers=tables)
    assert (await _explain(fake_issuer.token(), settings, client)).accepted
    assert (await _explain(fake_issuer.token(server="partner"), settings, client)).accepted
    old = fake_issuer.token(server="partner", claims={"iat": int(fake_issuer.clock.now()) - 200})
    assert Reason.TOO_OLD is _reason(await _explain(old, settings, client))


STRICT: dict[str, tuple[dict[str, Any], Reason, str]] = {
    "a type": ({}, Reason.UNSUPPORTED_TYPE, "at+jwt"),
    "a claim": ({"header": {"typ": "at+jwt"}}, Reason.MISSING_CLAIM, "RFC 9068"),
}


@pytest.mark.parametrize(("members", "reason", "words"), STRICT.values(), ids=STRICT.keys())
@pytest.mark.gen_test
async def test_the_rfc9068_profile_is_applied(
    members: dict[str, Any], reason: Reason, words: str, fake_issuer: RunningIssuer, client: JSONClient
) -> None:
    settings = Settings(issuer=fake_issuer.issuer_url(), token_profile="rfc9068")
    explanation = await _explain(fake_issuer.token(**members), settings, client)
    assert reason is _reason(explanation)
    assert words in _failed(explanation)[1]


@pytest.mark.gen_test
async def test_the_setting_for_hashes_is_named_before_and_after_it_is_set(
    fake_issuer: RunningIssuer, settings: Settings, client: JSONClient
) -> None:
    token = fake_issuer.token(claims={"at_hash": "x"})
    rejected = await _explain(token, settings, client)
    assert Reason.ID_TOKEN is _reason(rejected)
    assert "set SERVICE_INSECURE_ACCEPT_ID_TOKEN_HASHES=true" in _failed(rejected)[1]
    lenient = Settings(issuer=fake_issuer.issuer_url(), insecure_accept_id_token_hashes=True)
    accepted = await _explain(token, lenient, client)
    assert accepted.accepted
    assert "insecure_accept_id_token_hashes is set; an ID token has the same claims" in "\n".join(accepted.lines())


@pytest.mark.gen_test
async def test_the_allowed_clients_are_named(fake_issuer: RunningIssuer, client: JSONClient) -> None:
    settings = Settings(issuer=fake_issuer.issuer_url(), allowed_client_ids=("0oaother",))
    explanation = await _explain(fake_issuer.token(cid="0oaweb00000000000001"), settings, client)
    assert Reason.CLIENT_NOT_TRUSTED is _reason(explanation)
    assert '"0oaother"' in _failed(explanation)[1]
    assert "SERVICE_ALLOWED_CLIENT_IDS" in _failed(explanation)[1]


class OpaqueTokens:
    """A third-party validator that accepts one opaque token."""

    async def validate(self, token: PresentedToken) -> Principal | None:
        if token.text == "revoked-token":
            raise InvalidToken(Reason.EXPIRED, "it was revoked")
        return Principal.from_claims({"iss": "x", "exp": 2e9}) if token.text == "good-token" else None

    async def check_ready(self) -> None:
        """Return at once."""

    async def close(self) -> None:
        """Do nothing."""


def opaque_tokens(issuer: TrustedIssuer, context: ValidatorContext) -> OpaqueTokens:
    return OpaqueTokens()


@pytest.fixture
def settings_with_plugin(fake_issuer: RunningIssuer, monkeypatch: pytest.MonkeyPatch) -> Settings:
    import sys  # noqa: PLC0415  # a plug-in is imported by the name of its module, which test files lack
    import types  # noqa: PLC0415  # as above

    module = types.ModuleType("plugin_of_test_explain")
    module.build = opaque_tokens  # type: ignore[attr-defined]  # a module made by hand
    monkeypatch.setitem(sys.modules, module.__name__, module)
    tables = (
        IssuerSettings(issuer=fake_issuer.issuer_url(), audience=("api://default",)),
        IssuerSettings(issuer="https://x.example", audience=("x",), validation=f"{module.__name__}:build"),
    )
    return Settings(issuers=tables)


@pytest.mark.gen_test
async def test_a_custom_validator_decides_by_itself(
    settings_with_plugin: Settings, fake_issuer: RunningIssuer, client: JSONClient
) -> None:
    good = await _explain("good-token", settings_with_plugin, client)
    assert good.accepted
    assert "it accepts the token" in good.findings[-1].found
    assert Reason.EXPIRED is _reason(await _explain("revoked-token", settings_with_plugin, client))
    assert Reason.MALFORMED_TOKEN is _reason(await _explain("another-token", settings_with_plugin, client))
    assert (await _explain(fake_issuer.token(), settings_with_plugin, client)).accepted


HOSTILE = {
    "an escape sequence": "\x1b[2Jconclusion: accepted",
    "a line break": "x\nconclusion: accepted",
    "a reversed writing direction": "\u202econclusion",
    "a line separator": "x\u2028conclusion: accepted",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
@pytest.mark.gen_test
async def test_control_characters_of_a_token_are_escaped(
    text: str, fake_issuer: RunningIssuer, settings: Settings, client: JSONClient
) -> None:
    members = {"claims": {"aud": text, text: text}, "header": {"note": text}}
    explanation = await _explain(fake_issuer.token(**members), settings, client)
    assert all(line.isprintable() for line in explanation.lines())
    assert 1 == sum(line.startswith("conclusion:") for line in explanation.lines())


def _report(text: str, **changes: Any) -> str:
    """Return the report on a token of an unreachable issuer."""

    async def run() -> str:
        client = JSONClient()
        settings = Settings(issuer="http://127.0.0.1:1/oauth2/default", **changes)
        explanation = await explain(text, settings, client=client, clock=ManualClock())
        client.close()
        repr(explanation)
        assert explanation.lines()[-1].startswith("conclusion: ")
        return "\n".join([*explanation.lines(), repr(explanation)])

    return asyncio.run(run())


@profile(deadline=None)
@given(st.text())
def test_any_text_gets_a_conclusion(text: str) -> None:
    assert "conclusion: rejected" in _report(text)


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
MEMBERS: st.SearchStrategy[Mapping[str, Any]] = st.dictionaries(
    st.sampled_from(["alg", "kid", "typ", "crit", "iss", "aud", "exp", "nbf", "iat", "cnf", "jti", "scp", "x"]),
    JSON_VALUES | st.sampled_from(["RS256", "http://127.0.0.1:1/oauth2/default", "api://default", 2_000_000_000]),
)


@profile(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(header=MEMBERS, claims=MEMBERS, signature=st.binary(min_size=12, max_size=40), repeats=st.booleans())
def test_neither_the_token_nor_its_signature_is_ever_printed(
    header: Mapping[str, Any], claims: Mapping[str, Any], signature: bytes, *, repeats: bool
) -> None:
    end = _part(signature)
    more = {"note": end, end: 1} if repeats else {}
    token = f"{_part({**header, **more})}.{_part({**claims, **more})}.{end}"
    report = _report(token)
    assert "conclusion: " in report
    for secret in (token, *token.split(".")):
        assert len(secret) < 8 or secret not in report


@profile(deadline=None)
@given(st.text(alphabet="abcdefghijklmnopqrstuvwxyz0123456789_-", min_size=24))
def test_an_opaque_token_is_never_printed(token: str) -> None:
    assert token not in _report(token)


def test_a_token_inside_a_token_is_not_printed() -> None:
    inner = f"{_part({'alg': 'RS256'})}.{_part({'a': 1})}.c2lnbmF0dXJl"
    report = _report(f"{_part({'alg': 'RS256', 'note': inner})}.{_part({'iss': inner})}.c2lnbmF0dXJl")
    assert "c2lnbmF0dXJl" not in report


@pytest.mark.gen_test
async def test_client_groups_and_roles_are_shown_as_the_profile_names_them(
    fake_issuer: RunningIssuer, client: JSONClient
) -> None:
    settings = Settings(issuer=fake_issuer.issuer_url(), audience=("api://default",), profile="keycloak")
    claims = {"cid": None, "azp": "app", "realm_access": {"roles": ["b", "a"]}, "groups": ["g"]}
    report = "\n".join((await _explain(fake_issuer.token(claims=claims), settings, client)).lines())
    assert 'client "app"' in report
    assert "; groups: g; roles: a b" in report


@pytest.mark.gen_test
async def test_a_missing_audience_is_explained_by_what_is_accepted(
    fake_issuer: RunningIssuer, client: JSONClient
) -> None:
    settings = Settings(issuer=fake_issuer.issuer_url(), audience=("api://default",))
    claims: dict[str, Any] = {"aud": None}
    _, line = _failed(await _explain(fake_issuer.token(claims=claims), settings, client))
    assert "SERVICE_ACCEPT_TOKENS_WITHOUT_AUDIENCE" in line
    settings = Settings(issuer=fake_issuer.issuer_url(), profile="cognito", allowed_client_ids=("app",))
    explanation = await _explain(fake_issuer.token(aud="api://elsewhere"), settings, client)
    assert "no aud, since tokens without it are accepted" in _failed(explanation)[1]


@pytest.mark.gen_test
async def test_two_clients_in_one_token_are_explained(
    fake_issuer: RunningIssuer, settings: Settings, client: JSONClient
) -> None:
    claims = {"client_id": "one", "cid": "two"}
    _, line = _failed(await _explain(fake_issuer.token(claims=claims), settings, client))
    assert "the same client in each claim that names it" in line
    assert "SERVICE_CLIENT_ID_CLAIMS" in line
