from __future__ import annotations

import contextlib
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.errors import SettingsError
from service.web.routing.patterns import PatternTable
from service.web.routing.wrap import protected, public

SEGMENTS = [
    "admin",
    "admin/",
    "(admin|user)",
    "a?dmin",
    "ad",
    "min",
    "(.*)",
    r"\w+",
    "x|/admin",
    "",
    "[a-z]*",
    r"a\dmin",
]
PATHS = ["/admin/", "/admin/x", "/admin/admin", "/admin//", "/user/x", "/x", "/admin/admin/x"]
READ, WRITE, OPEN = protected(scopes="things:read"), protected(scopes="things:write"), public()

FOUND: dict[str, tuple[str, dict[str, Any], Any]] = {
    "the whole pattern": (r"/things/(\d+)", {r"/things/(\d+)": READ, ".*": OPEN}, READ),
    "the whole pattern with its end": (r"/things", {r"^/things$": READ}, READ),
    "a pattern that ends with a star itself": (r"/things/.*", {r"/things/.*": READ}, READ),
    "a beginning": (r"/things/(\d+)", {r"/things/.*": READ, ".*": OPEN}, READ),
    "the longest beginning": (r"/things/(\d+)", {r"/th.*": OPEN, ".*": OPEN, r"/things/.*": READ}, READ),
    "the whole pattern before a beginning": (r"/things/new", {r"/things/.*": READ, r"/things/new": WRITE}, WRITE),
    "everything else": (r"/other", {r"/things/.*": READ, ".*": OPEN}, OPEN),
    "a path without alternatives": (r"/", {"/admin/.*": WRITE, ".*": OPEN}, OPEN),
    "an escaped path without alternatives": (r"/a\.b", {r"/a\.b/.*": WRITE, ".*": OPEN}, OPEN),
    "a beginning with a group": (r"/users/(\d+)/x", {r"/users/(\d+)/.*": READ, ".*": OPEN}, READ),
    "a choice in a group": ("/things/(a|[|]|\\|)", {"/things/.*": READ, "/other/.*": OPEN}, READ),
    "an escaped dot": (r"/robots\.txt", {r"/robots\..*": OPEN, ".*": READ}, OPEN),
    "a choice that is named as a whole": (r"/(a|b)/x", {r"/a/.*": READ, ".*": OPEN, r"/(a|b)/x": WRITE}, WRITE),
}


@pytest.mark.parametrize(("pattern", "table", "expected"), FOUND.values(), ids=FOUND.keys())
def test_the_requirements_of_a_pattern_are_found(pattern: str, table: dict[str, Any], expected: Any) -> None:
    assert expected is PatternTable(table).find(pattern)


NOT_FOUND: dict[str, tuple[str, dict[str, Any], str]] = {
    "a misspelled pattern": ("/things", {"/thing": READ}, "matches; the nearest is '/thing', or add '/things'"),
    "an empty mapping": ("/things", {}, "there are none, or add '/things'"),
    "a choice": (r"/(admin|user)/x", {"/admin/.*": WRITE, ".*": READ}, "to both '.*' and '/admin/.*' of wrap; add"),
    "a choice of whole paths": ("/x|/admin/x", {"/admin/.*": WRITE, ".*": READ}, "to both '.*' and '/admin/.*'"),
    "an optional letter": ("/open/?x", {"/open/.*": OPEN, ".*": READ}, "to both"),
    "a choice that begins with a key": ("/open/(a)|/secret(b)", {"/open/.*": OPEN, ".*": READ}, "to both"),
    "a choice and a single key": ("/open/|/secret", {"/open/.*": OPEN}, "no pattern of wrap matches"),
    "a key with a group": ("/users/7/x", {r"/users/(\d+)/.*": WRITE, ".*": READ}, "to both"),
    "a key with a group, and a pattern with one": ("/users/7/(x)", {r"/users/(\d+)/.*": WRITE, ".*": READ}, "to both"),
    "any path": ("/(.*)", {"/admin/.*": WRITE, ".*": READ}, "add '/(.*)' to wrap"),
    "a set of letters": ("/[ab]dmin/", {"/admin/.*": WRITE, ".*": READ}, "to both"),
}


@pytest.mark.parametrize(("pattern", "table", "message"), NOT_FOUND.values(), ids=NOT_FOUND.keys())
def test_a_pattern_without_certain_requirements_is_rejected(pattern: str, table: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError) as error:
        PatternTable(table).find(pattern)
    assert message in str(error.value)


def test_keys_that_no_route_has_used_are_reported_with_the_nearest_pattern() -> None:
    table = PatternTable({"/things": READ, "/ordes": WRITE, "/users/.*": READ, ".*": OPEN})
    table.find("/things")
    assert [
        "wrap: '/ordes' matches no unprotected route; the nearest is '/orders'",
        "wrap: '/users/.*' matches no unprotected route; the nearest is '/orders'",
    ] == table.unused(["/things", "/orders"])
    assert OPEN is table.rest


@pytest.mark.parametrize(
    ("key", "message"),
    [("/things/(.*", "is not a regular expression"), (None, "is not the pattern of a route; expected a string")],
)
def test_a_key_that_is_not_a_pattern_is_rejected(key: Any, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        PatternTable({key: READ})


@given(st.sampled_from(SEGMENTS), st.sampled_from(SEGMENTS), st.sampled_from(SEGMENTS), st.sampled_from(PATHS))
def test_no_path_of_a_protected_beginning_is_served_publicly(first: str, second: str, third: str, path: str) -> None:
    pattern = f"/{first}{second}/{third}"
    table = PatternTable({"/admin/.*": READ, ".*": OPEN})
    with contextlib.suppress(SettingsError):
        found = table.find(pattern)
        if found is OPEN and re.fullmatch(pattern, path):
            assert not path.startswith("/admin/")


@pytest.mark.parametrize("value", ["things:read", {"scopes": "things:read"}, None, protected])
def test_a_value_that_states_no_requirements_is_rejected(value: Any) -> None:
    with pytest.raises(SettingsError, match=r"wrap: '/things' leads to .*; expected protected\(…\) or public\(\)"):
        PatternTable({"/things": value})
