from __future__ import annotations

from typing import Any

import pytest

from service.binding import OFF, REQUIRED
from service.errors import SettingsError
from service.settings.program import Settings
from service.tokens.binding.proofs import PROOF_ALGORITHMS

OKTA = "https://dev-123456.okta.com/oauth2/default"
SECRET = "s" * 32


def test_bound_tokens_are_allowed_without_a_nonce_by_default() -> None:
    settings = Settings(issuer=OKTA)
    (issuer,) = settings.trusted_issuers
    assert ("allowed", False) == (issuer.dpop, issuer.requires_dpop_nonce)
    assert (PROOF_ALGORITHMS, 60.0, 5.0) == (settings.dpop_algorithms, settings.dpop_max_age, settings.dpop_max_future)


def test_an_issuer_overrides_the_program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERVICE_DPOP", "required")
    monkeypatch.setenv("SERVICE_DPOP_NONCE", "true")
    other: Any = {"issuer": "https://other.example", "audience": "api", "dpop": "off", "dpop_nonce": False}
    own, foreign = Settings(issuer=OKTA, issuers=(other,)).trusted_issuers
    assert [(REQUIRED, True), (OFF, False)] == [(each.dpop, each.requires_dpop_nonce) for each in (own, foreign)]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"dpop": "on"}, "dpop"),
        ({"dpop_algorithms": ("HS256",)}, "expected some of ES256"),
        ({"dpop_algorithms": ()}, "expected some of ES256"),
        ({"dpop_max_age": 0}, "dpop_max_age"),
        ({"dpop_max_age": 601}, "dpop_max_age"),
        ({"dpop_max_future": -1}, "dpop_max_future"),
        ({"dpop_nonce_secrets": ("short",)}, "shorter than 32 characters"),
        ({"dpop_nonce": True, "processes": 2}, "set dpop_nonce_secrets, or cache_url"),
    ],
)
def test_an_impossible_setting_stops_the_start(values: dict[str, Any], words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        Settings(issuer=OKTA, **values)


def test_several_processes_may_share_the_secrets_of_nonces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERVICE_DPOP_NONCE_SECRETS", f"{SECRET}, {SECRET[::-1]}x")
    settings = Settings(issuer=OKTA, dpop_nonce=True, processes=2)
    assert 2 == len(settings.dpop_nonce_secrets)
    assert SECRET not in repr(settings)
