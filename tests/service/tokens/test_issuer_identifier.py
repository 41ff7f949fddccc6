from __future__ import annotations

import pytest

from service.tokens.issuer_identifier import find_mistakes, is_okta_custom_server, is_okta_org_server
from service.urls import is_loopback, is_secure

VALID = [
    "https://dev-123456.okta.com/oauth2/default",
    "https://dev-123456.okta.com/oauth2/aus9o8wzkhckw9TLa0h7",
    "https://dev-123456.okta.com",
    "https://login.example.com/oauth2/default",
    "https://tenant.auth0.com/",
    "https://issuer.example/oauth2",
    "https://issuer.example/oauth2/",
    "https://issuer.example/oauth2/v1/token",
    "https://issuer-admin.example.com.com",
    "https://issuer.example/realms/one",
    "http://127.0.0.1:9400/oauth2/default",
    "http://localhost:9400/oauth2/default",
    "http://[::1]:9400/oauth2/default",
]


@pytest.mark.parametrize("issuer", VALID)
def test_a_valid_issuer_has_no_mistakes(issuer: str) -> None:
    assert [] == find_mistakes(issuer)


CORRECT = "https://dev-123456.okta.com/oauth2/default"

CORRECTED = {
    "http": ("http://dev-123456.okta.com/oauth2/default", CORRECT),
    "a doubled .com": ("https://dev-123456.okta.com.com/oauth2/default", CORRECT),
    "the discovery document": (f"{CORRECT}/.well-known/openid-configuration", CORRECT),
    "a query": (f"{CORRECT}?client_id=a", CORRECT),
    "a user name": ("https://alice:secret@dev-123456.okta.com/oauth2/default", CORRECT),
}


@pytest.mark.parametrize(("wrong", "correct"), CORRECTED.values(), ids=CORRECTED.keys())
def test_the_last_item_is_the_correction(wrong: str, correct: str) -> None:
    mistakes = find_mistakes(wrong)
    assert f"write {correct}" == mistakes[-1]
    assert len(mistakes) > 1
    assert [] == find_mistakes(correct)


@pytest.mark.parametrize(
    ("issuer", "word"),
    [
        ("", "empty"),
        ("https://dev-1.okta.com /oauth2/default", "white space"),
        ('"https://dev-1.okta.com/oauth2/default"', "quotes"),
        ("https://{yourOktaDomain}/oauth2/default", "placeholder"),
        ("https://${yourOktaDomain}/oauth2/default", "placeholder"),
        ("https://<okta-domain>/oauth2/default", "placeholder"),
        ("https://your-okta-domain.okta.com/oauth2/default", "placeholder"),
        ("https://YOUR_OKTA_DOMAIN/oauth2/default", "placeholder"),
        ("dev-1.okta.com", "https://dev-1.okta.com"),
        ("ftp://dev-1.okta.com", "https://dev-1.okta.com"),
        ("https://[::1", "URL"),
        ("https://dev-1.okta.com:port", "URL"),
    ],
)
def test_a_mistake_without_a_correction_is_described(issuer: str, word: str) -> None:
    assert word in " ".join(find_mistakes(issuer))


@pytest.mark.parametrize(
    ("url", "secure"),
    [
        ("https://issuer.example/keys", True),
        ("http://127.0.0.1:9400/keys", True),
        ("http://127.0.0.1.evil.example/keys", False),
        ("http://localhost.evil.example/keys", False),
        ("http://issuer.example/keys", False),
        ("file:///etc/passwd", False),
        ("https://", False),
        ("", False),
    ],
)
def test_only_https_and_loopback_urls_are_secure(url: str, *, secure: bool) -> None:
    assert secure is is_secure(url)


def test_an_issuer_without_tls_is_accepted_if_the_settings_say_so() -> None:
    assert [] == find_mistakes("http://keycloak:8080/realms/one", accepts_http=True)
    assert "write https://keycloak:8080/realms/one" == find_mistakes("http://keycloak:8080/realms/one")[-1]
    assert "write http://keycloak:8080" == find_mistakes("http://keycloak:8080?a=b", accepts_http=True)[-1]


def test_okta_org_and_custom_servers_are_distinguished() -> None:
    org, custom = "https://dev-1.okta.com", "https://dev-1.okta.com/oauth2/default"
    assert (True, False) == (is_okta_org_server(org), is_okta_custom_server(org))
    assert (False, True) == (is_okta_org_server(custom), is_okta_custom_server(custom))
    assert not is_okta_org_server("https://issuer.example")
    assert not is_okta_org_server("https://notokta.com")
    assert not is_okta_custom_server("https://issuer.example/oauth2/default")
    assert is_okta_custom_server("http://127.0.0.1:9400/oauth2/default")  # the fake issuer


@pytest.mark.parametrize(
    ("host", "expected"),
    [("127.0.0.1", True), ("127.8.9.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("", False),
     (None, False), ("localhost.example", False), ("10.0.0.1", False)],
)  # fmt: skip
def test_loopback_hosts_are_recognized(host: str | None, *, expected: bool) -> None:
    assert expected is is_loopback(host)


@pytest.mark.parametrize(
    "issuer",
    ["https://alice:hunter2@issuer.example", "ftp://alice:hunter2@issuer.example", "https://alice:hunter2",
     "https://alice:hunter2/x@issuer.example", "https://[hunter2]@issuer.example", "alice:hunter2@issuer.example"],
)  # fmt: skip
def test_a_password_in_an_issuer_is_not_repeated(issuer: str) -> None:
    assert find_mistakes(issuer)
    assert "hunter2" not in "".join(find_mistakes(issuer))
