from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.web.openapi.path_template import templates_of
from service.web.openapi.route_regex import Group


def _name(group: Group) -> str:
    return group.name or str(group.number)


@pytest.mark.parametrize(
    ("regex", "paths"),
    [
        ("/", ["/"]),
        ("/things$", ["/things"]),
        ("^/things$", ["/things"]),
        (r"/openapi\.json", ["/openapi.json"]),
        ("/openapi[.]json", ["/openapi.json"]),
        ("/things/?", ["/things"]),
        ("/things/([0-9]+)", ["/things/{1}"]),
        (r"/things/(?P<id>\d+)/parts/(?P<part>[^/]+)", ["/things/{id}/parts/{part}"]),
        ("/(a|b)/(c(d)e)/(f)", ["/{1}/{2}/{4}"]),
        ("/files/(.*)", ["/files/{1}"]),
        (r"/well\-known(/.*)?", ["/well-known", "/well-known/{1}"]),
        ("/a(?:/(b))??/c", ["/a/c", "/a/{1}/c"]),
        ("/a(?:/(b)(?:/(c))?)?", ["/a", "/a/{1}", "/a/{1}/{2}"]),
        ("/a(?:bc)", ["/abc"]),
        (r"/([)\]]+)\)", ["/{1})"]),
        (r"/([^\])]/?)", []),
        (r"/([\])]+)x", ["/{1}x"]),
        (r"/([])]+)x", ["/{1}x"]),
        (r"/costs\$", ["/costs$"]),
        # not expressible as a template
        (".*", []),
        ("things", []),
        ("(.*)", []),
        ("/a/.*", []),
        (r"/v\d/things", []),
        ("/a+", []),
        ("/a{2}", []),
        ("/(a)+", []),
        ("/a|/b", []),
        ("/(?:a|b)", []),
        ("/(?=a)(a)", []),
        ("/(a/b|c)", []),
        ("/(/?a)", []),
        (r"/(a)/(\1)", []),
        (r"/\{id\}", []),
        ("/[ab]", []),
    ],
)
def test_a_route_has_these_templates(regex: str, paths: list[str]) -> None:
    assert paths == [template.render(_name) for template in templates_of(regex)]


@given(st.from_regex(r"/[ab/()\[\]?*+|\\^${}.d1<>P:=-]{0,12}", fullmatch=True))
def test_every_valid_regex_is_parsed(regex: str) -> None:
    try:
        re.compile(regex)
    except (re.error, FutureWarning, OverflowError):
        return
    for template in templates_of(regex):
        assert template.render(_name).startswith("/")


PIECES = [
    "a",
    r"\.",
    "/",
    "(b)",
    "(?P<n>c)",
    "(?:d)",
    "?",
    "*",
    "|",
    "[.]",
    "[^/]",
    "(/e)",
    r"\d",
    "{2}",
    "^",
    "$",
    "((f)g)",
]


@given(st.lists(st.sampled_from(PIECES), max_size=8))
def test_the_route_matches_every_path_of_its_templates(pieces: list[str]) -> None:
    regex = "/" + "".join(pieces)
    try:
        compiled = re.compile(regex if regex.endswith("$") else f"{regex}$")
    except re.error:
        return
    for template in templates_of(regex):
        values = {"b": "b", "c": "c", "e": "e", "(f)g": "fg"}
        path = "".join(part if isinstance(part, str) else values[part.source] for part in template.parts)
        assert compiled.match(path), (regex, path)
