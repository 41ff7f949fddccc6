from __future__ import annotations

import pytest

from service.web.responses.caching import add_to_vary, is_public, restrict_to_private, without_public


@pytest.mark.parametrize(
    ("own", "restricted"),
    [
        ("", "private"),
        ("max-age=60", "private, max-age=60"),
        ("no-cache", "private, no-cache"),
        ("s-maxage=60, must-revalidate", "private, s-maxage=60, must-revalidate"),
        ('private="Set-Cookie", max-age=60', 'private, private="Set-Cookie", max-age=60'),
        ('extension="public, private", max-age=60', 'private, extension="public, private", max-age=60'),
        ('extension="a\\", public"', 'private, extension="a\\", public"'),
        ("publicly", "private, publicly"),
        ("public, max-age=60", "public, max-age=60"),
        ("max-age=60,PUBLIC", "max-age=60,PUBLIC"),
        ("private", "private"),
        ("Private, no-cache", "Private, no-cache"),
        ("no-store", "no-store"),
        ("no-cache, no-store", "no-cache, no-store"),
    ],
)
def test_private_is_added_unless_the_handler_decides_otherwise(own: str, restricted: str) -> None:
    assert restricted == restrict_to_private(own)


@pytest.mark.parametrize(
    ("cache_control", "public"),
    [("public", True), ("max-age=5, Public", True), ("private", False), ('x="public"', False), ("", False)],
)
def test_only_the_directive_public_is_public(cache_control: str, public: object) -> None:
    assert public is is_public(cache_control)


@pytest.mark.parametrize(
    ("own", "names", "vary"),
    [
        (None, ["Authorization"], "Authorization"),
        ("", ["Authorization", "Cookie"], "Authorization, Cookie"),
        ("Accept", ["Authorization"], "Accept, Authorization"),
        ("accept, AUTHORIZATION", ["Authorization", "Cookie"], "accept, AUTHORIZATION, Cookie"),
        ("*", ["Authorization"], "*"),
    ],
)
def test_missing_names_are_added_to_vary(own: str | None, names: list[str], vary: str) -> None:
    assert vary == add_to_vary(own, names)


@pytest.mark.parametrize(
    ("own", "rest"),
    [
        ("", ""),
        ("public", ""),
        ("max-age=60,PUBLIC", "max-age=60"),
        ("public, max-age=60, public", "max-age=60"),
        ("max-age=60, publicly", "max-age=60, publicly"),
        ('extension="a, public", public', 'extension="a, public"'),
        ('extension="a\\", public", max-age=60', 'extension="a\\", public", max-age=60'),
        ('public, extension="a', 'extension="a'),
    ],
)
def test_public_is_removed(own: str, rest: str) -> None:
    assert rest == without_public(own)
