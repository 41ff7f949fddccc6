from __future__ import annotations

from typing import Any

import pytest

from service import Settings, SettingsError

ISSUER = "https://dev-1.okta.com/oauth2/default"


@pytest.mark.parametrize(
    ("gates", "expected"),
    [
        ((), {}),
        ("any=, reports=reports:read", {"any": "", "reports": "reports:read"}),
        (["reports-2=a b"], {"reports-2": "a b"}),
        (["a=b=c"], {"a": "b=c"}),
    ],
)
def test_gates_are_names_and_scopes(gates: Any, expected: dict[str, str]) -> None:
    settings = Settings(issuer=ISSUER, forward_auth=True, forward_auth_gates=gates)
    assert expected == settings.scopes_of_gates


def test_the_environment_has_them_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERVICE_FORWARD_AUTH", "true")
    monkeypatch.setenv("SERVICE_FORWARD_AUTH_GATES", "any=,reports=reports:read reports:own")
    assert {"any": "", "reports": "reports:read reports:own"} == Settings(issuer=ISSUER).scopes_of_gates


@pytest.mark.parametrize(
    ("gate", "problem"),
    [
        ("reports", "expected a name"),
        ("=a", "expected a name"),
        ("Reports=a", "expected a name"),
        ("a/b=a", "expected a name"),
        (".*=a", "expected a name"),
        ("a_b=a", "expected a name"),
        ('a="', "expected a name"),
        ("a=é", "expected a name"),
        ("a=b  c", "expected a name"),
        ("a=b\\", "expected a name"),
    ],
)
def test_a_malformed_gate_is_an_error(gate: str, problem: str) -> None:
    with pytest.raises(SettingsError, match=problem):
        Settings(issuer=ISSUER, forward_auth=True, forward_auth_gates=(gate,))


def test_a_gate_that_is_there_twice_is_an_error() -> None:
    with pytest.raises(SettingsError, match="'a' is there twice"):
        Settings(issuer=ISSUER, forward_auth=True, forward_auth_gates=("a=b", "a=c"))


def test_gates_without_forward_authentication_are_an_error() -> None:
    with pytest.raises(SettingsError, match="set forward_auth to true"):
        Settings(issuer=ISSUER, forward_auth_gates=("a=b",))
