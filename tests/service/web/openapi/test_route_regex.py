from __future__ import annotations

import pytest

from service.web.openapi.path_template import templates_of


@pytest.mark.parametrize(
    ("source", "pattern", "spans"),
    [
        ("[0-9]+", "^(?:[0-9]+)$", False),
        (r"\d{2}\.\d", r"^(?:\d{2}\.\d)$", False),
        ("a|b", "^(?:a|b)$", False),
        (".*", "^(?:.*)$", True),
        (r"[\w.-]+\.txt", r"^(?:[\w.-]+\.txt)$", False),
        ("[^/]+", "^(?:[^/]+)$", False),
        ("[^?]+", "^(?:[^?]+)$", True),
        ("(?P<inner>a)b", "^(?:(?:a)b)$", False),
        ("(?i:a)", None, False),
        (r"\Ba", None, False),
    ],
)
def test_a_group_has_a_pattern_for_json_schema(source: str, pattern: str | None, spans: bool) -> None:  # noqa: FBT001  # a column of the table
    (group,) = templates_of(f"/({source})")[0].groups
    assert (pattern, spans) == (group.pattern, group.spans_segments)
