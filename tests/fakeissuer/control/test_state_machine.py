"""Random control calls: each succeeds or is rejected with a description, and a reset undoes all of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from fakeissuer.model.endpoints import ENDPOINT_NAMES
from fakeissuer.server.running_issuer import RunningIssuer
from fakeissuer.state.faults import KINDS

Ask = Callable[..., Any]

SEEN_FROM_OUTSIDE = (
    "/_fake/",
    "/_fake/faults",
    "/_fake/keys",
    "/_fake/keys?server=partner",
    "/_fake/users/alice%40example.com",
    "/_fake/clients/0oaservice0000000001",
    "/_fake/servers/default",
    "/oauth2/default/v1/keys",
    "/oauth2/partner/v1/keys",
    "/oauth2/v1/keys",
    "/oauth2/default/.well-known/openid-configuration",
    "/.well-known/oauth-authorization-server/oauth2/partner",
)

servers = st.sampled_from(["default", "partner", "org", "orders", "unknown", ""])
kinds = st.sampled_from(["users", "clients", "servers", "unknown"])
names = st.sampled_from(
    ["alice@example.com", "0oaservice0000000001", "default", "partner", "orders", "org", "v1", "%00"]
)
scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
junk = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
)


def some_of(**members: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Objects with some of these members, some of them invalid, and sometimes an unknown member."""
    return st.fixed_dictionaries(
        {}, optional={name: st.one_of(good, good, good, junk) for name, good in members.items()} | {"unknown": junk}
    )


faults = some_of(
    endpoint=st.sampled_from(ENDPOINT_NAMES),
    server=servers,
    times=st.integers(1, 3),
    status=st.integers(200, 599),
    drop=st.booleans(),
    empty=st.booleans(),
    delay=st.floats(0, 0.001),
)
exact_faults = st.fixed_dictionaries(
    {"endpoint": st.sampled_from(ENDPOINT_NAMES)}, optional={"times": st.integers(1, 3), "server": servers}
).flatmap(lambda fault: st.sampled_from(KINDS).map(lambda kind: {**fault, kind: {"status": 503}.get(kind, True)}))
mints = some_of(
    server=servers,
    kind=st.sampled_from(["access", "id", "refresh"]),
    sub=st.text(max_size=10),
    scp=st.lists(st.text(max_size=5), max_size=3),
    aud=st.text(max_size=10),
    expires_in=st.integers(-5000, 5000),
    claims=st.dictionaries(st.text(max_size=5), junk, max_size=3),
    header=st.dictionaries(st.text(max_size=5), junk, max_size=3),
    alg=st.sampled_from(["RS256", "PS256", "ES256", "EdDSA", "HS256", "none", "RS1"]),
    key=st.sampled_from(
        ["active", "next", "expired", "unpublished", "small", "enc", "same-kid", "unknown-kty", "no such"]
    ),
)
clocks = some_of(advance=st.integers(-(10**9), 10**10), set=st.integers(0, 10**11), freeze=st.booleans())
entries = some_of(
    audience=st.text(max_size=9), scopes=st.lists(st.text(max_size=5)), groups=st.lists(st.text(max_size=5))
)


class ControlPlane(RuleBasedStateMachine):
    """Sends random calls to one running issuer."""

    issuer: RunningIssuer
    ask: Ask
    start: dict[str, bytes]

    def look(self) -> dict[str, bytes]:
        return {path: self.ask(self.issuer.url + path).body for path in SEEN_FROM_OUTSIDE}

    def call(self, method: str, path: str, members: Any = None) -> None:
        before = None if method == "GET" else self.look_at_faults_and_clock()
        body = None if members is None else json.dumps(members).encode()
        answer = self.ask(f"{self.issuer.url}/_fake/{path}", method, body=body)
        assert answer.status in (200, 400, 404, 405)
        if answer.status != 200:
            assert set(answer.json()) == {"error", "error_description"}
            assert len(answer.json()["error_description"]) > 10
            assert before is None or before == self.look_at_faults_and_clock()

    def look_at_faults_and_clock(self) -> Any:
        clock = self.issuer.clock.state()
        return self.issuer.faults(), round(clock.offset), clock.frozen, self.issuer.overview()

    @rule(members=faults | exact_faults | junk)
    def plan_a_fault(self, members: Any) -> None:
        self.call("POST", "faults", members)

    @rule(members=mints | junk)
    def mint(self, members: Any) -> None:
        self.call("POST", "tokens", members)

    @rule(members=clocks | junk)
    def move_the_clock(self, members: Any) -> None:
        self.call("POST", "clock", members)

    @rule(
        what=st.sampled_from(["rotate", "lag", "withdraw"]),
        members=some_of(server=servers, kid=st.text(), seconds=st.floats()),
    )
    def handle_keys(self, what: str, members: Any) -> None:
        self.call("POST", f"keys/{what}", members)

    @rule(server=servers)
    def withdraw_a_key_that_is_there(self, server: str) -> None:
        keys = self.ask(f"{self.issuer.url}/_fake/keys?server={server}").json()
        if isinstance(keys, list):
            self.call("POST", "keys/withdraw", {"kid": keys[0]["kid"]})

    @rule(method=st.sampled_from(["GET", "PUT", "DELETE"]), kind=kinds, name=names, members=entries | junk)
    def change_an_entry(self, method: str, kind: str, name: str, members: Any) -> None:
        self.call(method, f"{kind}/{name}", members if method == "PUT" else None)

    @rule(
        method=st.sampled_from(["GET", "DELETE"]),
        path=st.sampled_from(["faults", "clock", "requests", "keys/lag", "nowhere", "bad-tokens", "good-tokens"]),
    )
    def look_or_clear(self, method: str, path: str) -> None:
        self.call(method, path)

    @rule(endpoint=st.sampled_from(["keys", "token", "introspect"]))
    def use_an_endpoint(self, endpoint: str) -> None:
        if not self.issuer.faults():  # other tests cover faults
            self.ask(f"{self.issuer.url}/oauth2/default/v1/{endpoint}")

    def teardown(self) -> None:
        self.ask(f"{self.issuer.url}/_fake/reset", "POST")
        assert self.look() == self.start


def test_a_reset_restores_the_initial_state_byte_for_byte(fake_issuer: RunningIssuer, ask: Ask) -> None:
    class Machine(ControlPlane):
        issuer = fake_issuer

        @staticmethod
        def ask(*args: Any, **kwargs: Any) -> Any:
            return ask(*args, **kwargs)

    Machine.start = Machine.look(Machine())
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=40,
            stateful_step_count=15,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
