from __future__ import annotations

import logging

import pytest

from service import Settings
from service.settings.profiles.log import log_profiles


def test_what_was_recognised_and_what_is_not_safe_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    named = Settings(issuer="https://sso.example.com/realms/one", audience=("a",), profile="keycloak")
    recognised = Settings(issuer="http://keycloak:8080/realms/one", audience=("a",), insecure_accept_http_issuer=True)
    with caplog.at_level(logging.INFO):
        log_profiles([*named.trusted_issuers, *recognised.trusted_issuers])
    assert [
        (logging.INFO, "profile recognised from the issuer: keycloak, issuer=http://keycloak:8080/realms/one"),
        (logging.WARNING, "the issuer is reached without TLS: issuer=http://keycloak:8080/realms/one"),
    ] == [(record.levelno, record.getMessage()) for record in caplog.records]
