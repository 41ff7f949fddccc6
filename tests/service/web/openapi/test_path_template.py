from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tornado.routing import PathMatches

from service.web.openapi.path_template import Group, PathTemplate, parse_template


def _parse(regex: str) -> PathTemplate | None:
    return parse_template(PathMatches(regex))


def _name(group: Group) -> str:
    return group.name or str(group.number)


@pytest.mark.parametrize(
    ("regex", "path"),
    [
        ("/", "/"),
        ("/things$", "/things"),
        ("^/things$", "/things"),
        (r"/openapi\.json", "/openapi.json"),
        ("/openapi.json", "/openapi.json"),
        ("/things/([0-9]+)", "/things/{1}"),
        (r"/things/(?P<id>\d+)/parts/(?P<part>[^/]+)", "/things/{id}/parts/{part}"),
        ("/files/(.*)", "/files/{1}"),
        (r"/well\-known/(.*)", "/well-known/{1}"),
        ("/(a/b|c)", "/{1}"),
        ("/(/?a)", "/{1}"),
        (r"/(a)/(\1)", "/{1}/{2}"),
    ],
)
def test_a_route_that_tornado_can_reverse_has_a_template(regex: str, path: str) -> None:
    template = _parse(regex)
    assert template is not None
    assert path == template.render(_name)


@pytest.mark.parametrize(
    "regex",
    [
        "/openapi[.]json",
        "/things/?",
        "/(a|b)/(c(d)e)/(f)",
        r"/well\-known(/.*)?",
        "/a(?:/(b))??/c",
        "/a(?:/(b)(?:/(c))?)?",
        "/a(?:bc)",
        r"/([)\]]+)\)",
        r"/([^\])]/?)",
        r"/([\])]+)x",
        r"/([])]+)x",
        r"/costs\$",
        r"/100%/(a)",
        "/~argument~/(a)",
        ".*",
        "things",
        "(.*)",
        "/a/.*",
        r"/v\d/things",
        "/a+",
        "/a{2}",
        "/(a)+",
        "/a|/b",
        "/(?:a|b)",
        "/(?=a)(a)",
        r"/\{id\}",
        "/[ab]",
    ],
)
def test_a_route_that_tornado_cannot_reverse_has_no_template(regex: str) -> None:
    assert _parse(regex) is None


@pytest.mark.parametrize(
    ("source", "pattern", "spans"),
    [
        ("[0-9]+", "^(?:[0-9]+)$", False),
        (r"\d{2}\.\d", r"^(?:\d{2}\.\d)$", False),
        ("a|b", "^(?:a|b)$", False),
        (".*", "^(?:.*)$", True),
        (r"[\w.-]+\.txt", r"^(?:[\w.-]+\.txt)$", False),
        (r"[\w/]+", r"^(?:[\w/]+)$", True),
        (r"\S+", r"^(?:\S+)$", True),
        ("a/b", "^(?:a/b)$", True),
        ("[^/]+", "^(?:[^/]+)$", False),
        ("[^?]+", "^(?:[^?]+)$", True),
        (r"\Ba", None, False),
    ],
)
def test_a_group_has_a_pattern_for_json_schema(source: str, pattern: str | None, spans: bool) -> None:  # noqa: FBT001  # a column of the table
    template = _parse(f"/({source})")
    assert template is not None
    (group,) = template.groups
    assert (pattern, spans) == (group.pattern, group.spans_segments)


@given(st.from_regex(r"/[ab/()\[\]?*+|\\^${}.d1<>P:=-]{0,12}", fullmatch=True))
def test_every_valid_regex_is_parsed(regex: str) -> None:
    try:
        matcher = PathMatches(regex)
    except (re.error, FutureWarning, OverflowError, AssertionError):
        return
    template = parse_template(matcher)
    assert template is None or template.render(_name).startswith("/")


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
def test_a_template_renders_only_paths_that_the_route_matches(pieces: list[str]) -> None:
    regex = "/" + "".join(pieces)
    try:
        matcher = PathMatches(regex)
    except (re.error, AssertionError):
        return
    if (template := parse_template(matcher)) is not None:
        path = re.sub(r"\{(.*?)\}", r"\1", template.render(lambda group: group.source))
        assert matcher.regex.match(path), (regex, path)
