from __future__ import annotations

import pytest

from service.tokens.issuer_identifier import find_mistakes, is_okta_custom_server, is_okta_org_server
from service.urls import is_loopback, is_secure

GOOD = [
    "https://dev-123456.okta.com/oauth2/default",
    "https://dev-123456.okta.com/oauth2/aus9o8wzkhckw9TLa0h7",
    "https://dev-123456.okta.com",
    "https://login.example.com/oauth2/default",
    "https://tenant.auth0.com/",
    "https://issuer.example/realms/one",
    "http://127.0.0.1:9400/oauth2/default",
    "http://localhost:9400/oauth2/default",
    "http://[::1]:9400/oauth2/default",
]


@pytest.mark.parametrize("issuer", GOOD)
def test_finds_nothing_wrong_with(issuer: str) -> None:
    assert [] == find_mistakes(issuer)


RIGHT = "https://dev-123456.okta.com/oauth2/default"

MENDED = {
    "the admin console": ("https://dev-123456-admin.okta.com/oauth2/default", RIGHT),
    "http": ("http://dev-123456.okta.com/oauth2/default", RIGHT),
    "a doubled .com": ("https://dev-123456.okta.com.com/oauth2/default", RIGHT),
    "a slash at the end": ("https://dev-123456.okta.com/oauth2/default/", RIGHT),
    "a slash behind the org": ("https://dev-123456.okta.com/", "https://dev-123456.okta.com"),
    "a slash behind a custom domain's server": (
        "https://login.example.com/oauth2/default/",
        "https://login.example.com/oauth2/default",
    ),
    "the discovery document": (f"{RIGHT}/.well-known/openid-configuration", RIGHT),
    "the token endpoint": (f"{RIGHT}/v1/token", RIGHT),
    "no server id": ("https://dev-123456.okta.com/oauth2", RIGHT),
    "a query": (f"{RIGHT}?client_id=a", RIGHT),
    "a user name": ("https://alice:secret@dev-123456.okta.com/oauth2/default", RIGHT),
    "several at once": ("http://dev-123456-admin.okta.com.com/oauth2/default/v1/keys", RIGHT),
}


@pytest.mark.parametrize(("wrong", "right"), MENDED.values(), ids=MENDED.keys())
def test_says_what_to_write_instead_of(wrong: str, right: str) -> None:
    mistakes = find_mistakes(wrong)
    assert f"write {right}" == mistakes[-1]
    assert len(mistakes) > 1
    assert [] == find_mistakes(right)


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
def test_names_what_cannot_be_mended(issuer: str, word: str) -> None:
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
def test_believes_only_https_and_this_machine(url: str, *, secure: bool) -> None:
    assert secure is is_secure(url)


def test_tells_okta_servers_apart() -> None:
    org, custom = "https://dev-1.okta.com", "https://dev-1.okta.com/oauth2/default"
    assert (True, False) == (is_okta_org_server(org), is_okta_custom_server(org))
    assert (False, True) == (is_okta_org_server(custom), is_okta_custom_server(custom))
    assert not is_okta_org_server("https://issuer.example")
    assert not is_okta_org_server("https://notokta.com")


@pytest.mark.parametrize(
    ("host", "answer"),
    [("127.0.0.1", True), ("127.8.9.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("", False),
     (None, False), ("localhost.example", False), ("10.0.0.1", False)],
)  # fmt: skip
def test_knows_this_machine(host: str | None, *, answer: bool) -> None:
    assert answer is is_loopback(host)
