from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.operations.doctor.advice.confusions import describe_issuer_difference

OKTA = "https://dev-1.okta.com/oauth2/default"

NEAR: dict[str, tuple[str, str, str]] = {
    "a slash too much": (f"{OKTA}/", OKTA, "an extra slash at the end"),
    "a slash too few": ("https://x.example", "https://x.example/", "a missing slash at the end"),
    "another scheme": (OKTA.replace("https", "http"), OKTA, "http:// instead of https://"),
    "the org": ("https://dev-1.okta.com", OKTA, "it is the org server of that Okta org"),
    "another server": (
        "https://dev-1.okta.com/oauth2/aus1",
        OKTA,
        "another authorization server there, '/oauth2/aus1'",
    ),
    "another host": ("https://login.example.com/oauth2/default", OKTA, "on another host, login.example.com instead of"),
    "another port": ("https://x.example:8443/a", "https://x.example/a", "on another host, x.example:8443"),
    "another path": ("https://x.example/a", "https://x.example/b", "the path is '/a' instead of '/b'"),
    "upper case": ("https://dev-1.okta.com/oauth2/Default", OKTA, "upper and lower case differ"),
    "a host in upper case": ("https://DEV-1.okta.com/oauth2/default", OKTA, "upper and lower case differ"),
    "a query": (f"{OKTA}?x=1", OKTA, "the spelling differs"),
    "the other version of Entra": (
        "https://sts.windows.net/00000000-0000-0000-0000-000000000001/",
        "https://login.microsoftonline.com/00000000-0000-0000-0000-000000000001/v2.0",
        "the same Entra tenant, 00000000-0000-0000-0000-000000000001, but of the other version",
    ),
    "a slash after Entra's version 2": (
        "https://login.microsoftonline.com/00000000-0000-0000-0000-000000000001/v2.0/",
        "https://login.microsoftonline.com/00000000-0000-0000-0000-000000000001/v2.0",
        "an extra slash at the end",
    ),
    "two things": ("http://dev-1.okta.com/oauth2/default/", OKTA, "set that URL at the issuer; an extra slash"),
}


@pytest.mark.parametrize(("seen", "trusted", "words"), NEAR.values(), ids=NEAR.keys())
def test_the_difference_is_described(seen: str, trusted: str, words: str) -> None:
    assert words in describe_issuer_difference(seen, trusted)


@pytest.mark.parametrize(
    "seen", ["", "https://x.example", "https://[", "https://dev-1.okta.com:x/oauth2/default", OKTA]
)
def test_equal_and_unrelated_issuers_have_no_description(seen: str) -> None:
    assert "" == describe_issuer_difference(seen, OKTA)


@given(st.text())
def test_any_issuer_text_is_accepted(seen: str) -> None:
    describe_issuer_difference(seen, OKTA)
    describe_issuer_difference(f"https://dev-1.okta.com/{seen}", OKTA)
