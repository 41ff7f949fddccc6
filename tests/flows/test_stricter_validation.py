"""A stricter way of validation accepts no token that local validation rejects for what the token says.

The issuers here report every token as active, with differently complete responses.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import tornado.httpserver
import tornado.netutil
import tornado.web
from hypothesis import HealthCheck, given
from hypothesis import settings as profile
from hypothesis import strategies as st

import fakeissuer
from service import InvalidToken, Reason, Settings
from service.caches.shared import open_cache
from service.caches.tokens import ValidatedTokenCache
from service.clock import SystemClock
from service.issuers.client import JSONClient
from service.tokens.presented import PresentedToken
from service.tokens.principal import Principal
from service.tokens.token_kinds import MARKS
from service.validators import auto, hybrid, introspection, jwt
from service.validators.base import Factory, Validator, ValidatorContext

CLIENT: dict[str, Any] = {"client_id": "0oaapi00000000000001", "client_secret": "api-secret-for-tests-only-00000000001"}
STRICTER: dict[str, Factory] = {"introspection": introspection.build, "auto": auto.build, "hybrid": hybrid.build}


def _claims_of(token: str) -> dict[str, Any]:
    """Return the claims of a JWT as a lenient parser reads them, or none."""
    try:
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (IndexError, ValueError, binascii.Error, RecursionError):
        return {}
    return claims if isinstance(claims, dict) else {}


COMPLETE = {"aud": "api://default", "exp": 4_000_000_000, "sub": "a", "client_id": "c", "scope": "api:read", "iat": 1}
RESPONSES: dict[str, Callable[[str], dict[str, Any]]] = {
    "nothing else": lambda _: {},
    "no audience": lambda _: COMPLETE | {"aud": None, "token_type": "Bearer"},
    "the claims of the token": _claims_of,
    "a complete response": lambda _: COMPLETE | {"token_type": "Bearer"},
}
OKTA_PATH = "/oauth2/default/v1/introspect"


class Rig:
    """A fake issuer whose metadata names an introspection endpoint that reports every token as active."""

    def __init__(self, issuer: fakeissuer.RunningIssuer, loop: asyncio.AbstractEventLoop) -> None:
        self.issuer = issuer
        self.respond = RESPONSES["nothing else"]
        self._loop = loop
        self._client = JSONClient()
        app = tornado.web.Application([(r"/.*", Introspection, {"rig": self})])
        self._server = tornado.httpserver.HTTPServer(app)
        (socket,) = tornado.netutil.bind_sockets(0, "127.0.0.1")
        self._server.add_sockets([socket])
        self._url = f"http://127.0.0.1:{socket.getsockname()[1]}"
        self._contexts: list[ValidatorContext] = []

    def serve(self, path: str) -> None:
        """Publish the introspection endpoint under a path."""
        self.issuer.clear_faults()
        base = self.issuer.issuer_url()
        document = {"issuer": base, "jwks_uri": f"{base}/v1/keys", "introspection_endpoint": self._url + path}
        self.issuer.fail("discovery", status=200, body=document)

    def validators(self, **settings: Any) -> tuple[Validator, dict[str, Validator]]:
        """Return a local validator and the stricter ones by their kind, without any cached response."""
        clock = SystemClock()
        context = ValidatorContext(
            client=self._client,
            clock=clock,
            token_cache=ValidatedTokenCache(clock=clock),
            cache=open_cache("memory://", clock=clock),
        )
        self._contexts.append(context)
        (trusted,) = Settings(issuer=self.issuer.issuer_url(), **CLIENT, **settings).trusted_issuers
        return jwt.build(trusted, context), {kind: build(trusted, context) for kind, build in STRICTER.items()}

    def validate(self, validator: Validator, token: str) -> Principal | None:
        """Return the principal of a token, or None if it is of another issuer."""
        return self._loop.run_until_complete(validator.validate(PresentedToken.read(token)))

    def outcome(self, validator: Validator, token: str) -> str:
        """Return ``accepted``, ``of another issuer``, or the reason of the rejection and its claim."""
        try:
            principal = self.validate(validator, token)
        except InvalidToken as exc:
            return f"{exc.reason} {exc.claim}"
        if principal is not None and "cnf" in principal.claims:
            return "accepted with a proof"  # which the authenticator checks
        return "of another issuer" if principal is None else "accepted"

    def close(self) -> None:
        """Stop the endpoint, and close the connections."""
        for context in self._contexts:
            for issuer in context.issuers.values():
                self._loop.run_until_complete(issuer.close())
        self._server.stop()
        self._client.close()


class Introspection(tornado.web.RequestHandler):
    def initialize(self, *, rig: Rig) -> None:
        self.rig = rig

    def post(self) -> None:
        members = {"iss": self.rig.issuer.issuer_url()} | self.rig.respond(self.get_body_argument("token"))
        response = {name: value for name, value in members.items() if value is not None}
        self.write(json.dumps({"active": True} | response))


@pytest.fixture(scope="module")
def rig() -> Iterator[Rig]:
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    with fakeissuer.running() as issuer:
        rig = Rig(issuer, loop)
        yield rig
        rig.close()
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()
    asyncio.set_event_loop(None)


OTHER_KINDS: dict[str, dict[str, Any]] = {
    "an ID token": {"kind": "id", "aud": "api://default"},
    "an ID token of Keycloak": {"claims": {"typ": "ID"}},
    "a refresh token of Keycloak": {"claims": {"typ": "Refresh"}},
    "an ID token of Cognito": {"claims": {"token_use": "id"}},
    "a refresh token by its type": {"claims": {"token_type": "refresh_token"}},
    "a logout token": {"claims": {"events": {"http://schemas.openid.net/event/backchannel-logout": {}}}},
    "an ID token with at_hash": {"claims": {"at_hash": "x"}},
    "an authorization response": {"claims": {"code": "x", "state": "y"}},
    "signed userinfo": {"claims": {"exp": None, "iat": None, "scp": None, "email": "a@example.com"}},
    "a logout token by its header": {"header": {"typ": "application/Logout+JWT"}},
    "an event by its header": {"header": {"typ": "secevent+jwt"}},
    "another audience": {"aud": "api://other"},
    "a token bound to a key in another way": {"claims": {"cnf": {"kid": "a"}}},
    "a token of type DPoP": {"claims": {"typ": "DPoP"}},
    "an expired token": {"expires_in": -200},
}
LOOK_ALIKES: dict[str, dict[str, Any]] = {
    "an ordinary token": {},
    "a token with a nonce": {"claims": {"nonce": "n", "auth_time": 1, "acr": "a", "sid": "s", "azp": "c"}},
    "a token of Keycloak": {"claims": {"typ": "Bearer"}},
    "a token of Cognito": {"claims": {"token_use": "access"}},
    "a token of PingAM": {"claims": {"tokenName": "access_token", "token_type": "Bearer"}, "header": {"zip": "NONE"}},
    "a token by RFC 9068": {"header": {"typ": "application/AT+JWT"}},
    "a token with an address": {"claims": {"state": "CA"}},
}

# The issuer verifies the signature of an introspected token, and the key is unknown to the service then.
LEFT_TO_THE_ISSUER = ("unsupported_algorithm alg", "unknown_key kid", "unknown_key None", "bad_signature None")
# Without the header of a JWT, a token says nothing, and only introspection can validate it.
OPAQUE = {"refresh-token", "dots-alone", "header-list", "header-text", "header-not-json", "header-empty"}


def _catalogue(issuer: fakeissuer.RunningIssuer) -> dict[str, str]:
    tokens = {bad.name: bad.token for bad in issuer.bad_tokens() if bad.status == 401}
    assert len(tokens) > 90
    tokens |= {name: issuer.token(**members) for name, members in OTHER_KINDS.items()}
    tokens |= {f"{name}, with padding": f"{issuer.token(**members)}==" for name, members in OTHER_KINDS.items()}
    return tokens


@pytest.mark.parametrize("path", ["/introspect", OKTA_PATH])
@pytest.mark.parametrize("response", RESPONSES)
def test_no_stricter_validator_accepts_what_local_validation_rejects(response: str, path: str, rig: Rig) -> None:
    rig.issuer.reset()
    rig.serve(path)
    rig.respond = RESPONSES[response]
    local, stricter = rig.validators()
    further = set()
    for name, token in _catalogue(rig.issuer).items():
        reason = rig.outcome(local, token)
        assert "accepted" != reason, name
        further |= {
            (kind, name, reason)
            for kind, validator in stricter.items()
            if "accepted" == rig.outcome(validator, token)
            if not (kind == "introspection" and reason in LEFT_TO_THE_ISSUER and not name.startswith("alg-none"))
        }
    further -= {(kind, name, "of another issuer") for kind in ("introspection", "auto") for name in OPAQUE}
    assert set() == further


@pytest.mark.parametrize("response", RESPONSES)
def test_every_validator_accepts_good_tokens_that_look_alike(response: str, rig: Rig) -> None:
    rig.issuer.reset()
    rig.serve("/introspect")
    rig.respond = RESPONSES[response]
    local, stricter = rig.validators()
    good = {name: rig.issuer.token(**members) for name, members in LOOK_ALIKES.items()}
    good |= {good.name: good.token for good in rig.issuer.good_tokens()}
    for name, token in good.items():
        for validator in (local, *stricter.values()):
            assert "accepted" == rig.outcome(validator, token), name


@pytest.mark.parametrize("response", RESPONSES)
@pytest.mark.parametrize("client", ["cid", "client_id"])
def test_the_deny_list_finds_an_introspected_jwt_by_its_token_id_user_and_client(
    client: str, response: str, rig: Rig
) -> None:
    rig.issuer.reset()
    rig.serve("/introspect")
    rig.respond = RESPONSES[response]
    local, stricter = rig.validators()
    token = rig.issuer.token(claims={"jti": "AT.1", "sub": "a", "cid": None, client: "c"})
    for validator in (local, *stricter.values()):
        principal = rig.validate(validator, token)
        assert principal is not None
        assert ("AT.1", "a", "c") == (principal.claims["jti"], principal.subject, principal.client_id)


_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
_known = st.sampled_from(["Bearer", "ID", "access", "refresh_token", "api://default", ["api://default"], 2**40, {}])
_names = st.sampled_from(
    ["iss", "aud", "exp", "nbf", "iat", "sub", "cid", "jti", "cnf", "nonce", "state", *(mark.claim for mark in MARKS)]
)


@profile(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(claims=st.dictionaries(_names, _known | _values, max_size=4), response=st.sampled_from(list(RESPONSES)))
def test_any_signed_claims_get_no_further_by_a_stricter_validator(
    rig: Rig, claims: dict[str, Any], response: str
) -> None:
    rig.serve("/introspect")
    rig.respond = RESPONSES[response]
    local, stricter = rig.validators()
    try:
        token = rig.issuer.token(claims=claims)
    except fakeissuer.InvalidRequestError:
        return
    reason = rig.outcome(local, token)
    outcomes = {kind: rig.outcome(validator, token) for kind, validator in stricter.items()}
    if reason != "accepted":
        assert "accepted" not in outcomes.values()


def test_an_opaque_token_without_an_audience_is_accepted_only_if_the_setting_allows_it(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    rig.issuer.reset()
    rig.serve("/introspect")
    rig.respond = RESPONSES["no audience"]
    setting = "insecure_accept_introspection_without_audience"
    for kind in ("introspection", "auto"):
        _, stricter = rig.validators()
        assert {"missing_claim aud"} == {rig.outcome(stricter[kind], f"opaque-{number}") for number in range(3)}
        _, lenient = rig.validators(**{setting: True})
        assert "accepted" == rig.outcome(lenient[kind], "opaque")
    logged = [record for record in caplog.records if record.levelname == "ERROR"]
    assert 2 == len(logged)  # once for each validator
    assert all(setting in record.getMessage() for record in logged)


@pytest.mark.parametrize(("audience", "expected"), [([], "accepted"), (["api://other"], "wrong_audience aud")])
def test_an_empty_list_of_audiences_counts_as_none(audience: list[str], expected: str, rig: Rig) -> None:
    rig.issuer.reset()
    rig.serve("/introspect")
    rig.respond = lambda _: COMPLETE | {"aud": audience}
    _, strict = rig.validators()
    assert "wrong_audience aud" == rig.outcome(strict["introspection"], "opaque")
    _, lenient = rig.validators(insecure_accept_introspection_without_audience=True)
    assert expected == rig.outcome(lenient["introspection"], "opaque")


def test_a_jwt_without_an_audience_needs_one_in_the_response_whatever_the_setting(rig: Rig) -> None:
    rig.issuer.reset()
    rig.serve("/introspect")
    token = rig.issuer.token(claims={"aud": None})
    for response, expected in [("no audience", "missing_claim aud"), ("a complete response", "accepted")]:
        rig.respond = RESPONSES[response]
        _, stricter = rig.validators(insecure_accept_introspection_without_audience=True)
        assert expected == rig.outcome(stricter["introspection"], token)


def test_the_hashes_of_dex_are_accepted_by_every_validator_if_the_setting_allows_it(rig: Rig) -> None:
    rig.issuer.reset()
    rig.serve("/introspect")
    rig.respond = _claims_of
    token = rig.issuer.token(claims={"at_hash": "x"})
    for is_lifted, expected in [(False, f"{Reason.ID_TOKEN} at_hash"), (True, "accepted")]:
        local, stricter = rig.validators(insecure_accept_id_token_hashes=is_lifted)
        assert {expected} == {rig.outcome(validator, token) for validator in (local, *stricter.values())}
