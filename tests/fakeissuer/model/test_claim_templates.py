from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jwt
import pytest

from fakeissuer.errors import InvalidRequestError
from fakeissuer.model.claim_templates import check_placeholders, custom_claims
from fakeissuer.model.clients import Client
from fakeissuer.model.servers import Server
from fakeissuer.model.users import User
from fakeissuer.server.running_issuer import RunningIssuer

ALICE = User(login="alice", email="a@b.test", groups=("Everyone", "Admins"))


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("plain", "plain"),
        (7, 7),
        (None, None),
        ("${user.email}", "a@b.test"),
        ("mail:${user.email}!", "mail:a@b.test!"),
        ("${user.groups}", ["Everyone", "Admins"]),
        ("in ${user.groups}", "in Everyone Admins"),
        ("${user.email_verified}", True),
        ("${client.name} at ${server.audience}", "app at api://x"),
        ("${scopes}", ["a", "b"]),
        ({"deep": ["${client.id}"]}, {"deep": ["c"]}),
        ("${user.password}${client.secret}", ""),
        ("${client.secret}", None),
        ("${user.unknown}", None),
        ("${user.__class__}", None),
        ("${unknown.name}", "${unknown.name}"),
    ],
)
def test_a_placeholder_is_replaced(template: Any, expected: Any) -> None:
    server = Server(id="s", audience="api://x", claims={"claim": template})
    client = Client(id="c", name="app", secret="hidden")
    assert custom_claims(server, client, ALICE, ("a", "b")) == {"claim": expected}


def test_user_claims_override_client_claims_and_these_server_claims() -> None:
    server = Server(id="s", audience="x", claims={"a": "server", "b": "server", "c": "server"})
    client = Client(id="c", name="app", secret="s", claims={"b": "client", "c": "client"})
    user = User(login="u", claims={"c": "user"})
    assert custom_claims(server, client, user, ()) == {"a": "server", "b": "client", "c": "user"}
    assert custom_claims(server, None, None, ()) == {"a": "server", "b": "server", "c": "server"}
    assert custom_claims(Server(id="s", audience="x", claims={"a": "${user.name}"}), None, None, ()) == {"a": None}


@pytest.mark.parametrize("kind", ["servers", "clients", "users"])
def test_reserved_claims_are_rejected(fake_issuer: RunningIssuer, kind: Any) -> None:
    good: dict[str, Any] = {"servers": {"audience": "a"}, "clients": {"name": "n", "secret": "s"}, "users": {}}[kind]
    with pytest.raises(InvalidRequestError, match="claims may not name sub"):
        fake_issuer.put(kind, "x", **good, claims={"sub": "someone"})
    for name in ("sub", "nonce", "at_hash"):
        with pytest.raises(InvalidRequestError, match=f"id_token_claims may not name {name}"):
            fake_issuer.put(kind, "x", **good, id_token_claims={name: "someone"})
    fake_issuer.put(kind, "x", **good, claims={"nonce": "a claim of access tokens like any other"})


def test_custom_claims_follow_the_subject(fake_issuer: RunningIssuer) -> None:
    fake_issuer.put("servers", "default", audience="api://default", claims={"team": "${user.family_name}"})
    claims = fake_issuer.mint(sub="alice@example.com").claims
    assert list(claims)[-2:] == ["sub", "team"]
    assert claims["team"] == "Adams"


@pytest.mark.parametrize(
    "template",
    [
        "plain",
        "$5 {a}",
        7,
        None,
        "${user.email}",
        "${user.name} ${client.is_public} ${server.is_org}",
        {"deep": ["${scopes}", ("${server.audience}",)]},
    ],
)
def test_a_valid_placeholder_is_accepted(template: Any) -> None:
    check_placeholders({"claim": template})


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("${user.emial}", "user.emial.* expected one of login, .*email"),
        ("${client.secret}", "client.secret.* expected one of id, name"),
        ("${user.password}", "user.password"),
        ("${server.policy}", "server.policy"),
        ("${user.__class__}", "user.__class__"),
        ("${usr.email}", r"\$\{usr.email\}' *, not a placeholder"),
        ("a ${user.email", "not a placeholder"),
        ("${", "not a placeholder"),
        ("${user.email}${scope}", "scope"),
        ({"deep": ["fine", {"deeper": "${user.emial}"}]}, "user.emial"),
    ],
)
def test_a_mistyped_or_secret_placeholder_is_rejected(template: Any, expected: str) -> None:
    with pytest.raises(InvalidRequestError, match=expected):
        check_placeholders({"claim": template})


def test_id_token_claims_are_in_id_tokens_and_userinfo(fake_issuer: RunningIssuer, ask: Callable[..., Any]) -> None:
    fake_issuer.put(
        "servers",
        "default",
        audience="api://default",
        claims={"access": 1},
        id_token_claims={"team": "server", "label": "${client.name}", "granted": "${scopes}"},
        claim_placement={name: {"id_token": "always"} for name in ("team", "label", "granted")}
        | {"groups": {"id_token": "always", "scopes": ["groups"]}},
    )
    fake_issuer.put("users", "ann", id_token_claims={"team": "${user.family_name}"})
    client, scope = "0oaweb00000000000001:web-secret-for-tests-only-00000000001", "openid email groups"
    form = {"grant_type": "password", "username": "ann", "password": "password", "scope": scope}
    got = ask(f"{fake_issuer.issuer_url()}/v1/token", "POST", form=form, client=client).json()
    bearer = {"Authorization": f"Bearer {got['access_token']}"}
    results = [
        jwt.decode(got["id_token"], options={"verify_signature": False}),
        ask(f"{fake_issuer.issuer_url()}/v1/userinfo", headers=bearer).json(),
        fake_issuer.mint(kind="id", sub="ann", scp=scope).claims,
    ]
    expected = {"groups": ["Everyone"], "team": "User", "label": "web app", "granted": scope.split()}
    assert [dict(list(claims.items())[-4:]) for claims in results] == [expected] * 3
    assert "team" not in jwt.decode(got["access_token"], options={"verify_signature": False})
