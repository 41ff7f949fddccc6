from __future__ import annotations

import json
import logging
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.operations.logs.formats import JSONFormatter, TextFormatter

FORGERIES = [
    "\x7f",
    "\x80",
    "\x9b2J",
    "\u2028x",
    "\u2029",
    "\u202egnp",
    "\u2066",
    "\r\n2026-01-01T00:00:00.000Z ERROR x: y",
    '" level="ERROR',
]
TEXTS = st.text(st.characters()) | st.sampled_from(FORGERIES)
RECORDS = st.fixed_dictionaries(
    {
        "name": TEXTS,
        "levelname": st.just("INFO"),
        "msg": TEXTS.map(lambda text: text.replace("%", "")),
        "path": TEXTS,
        "method": TEXTS,
        "kid": TEXTS | st.lists(TEXTS) | st.dictionaries(TEXTS, TEXTS),
    },
    optional={"exc_info": TEXTS.map(lambda text: (ValueError, ValueError(text), None)), "stack_info": TEXTS},
)


@settings(deadline=None)
@given(values=RECORDS)
def test_no_value_forges_a_line_of_text(values: dict[str, Any]) -> None:
    line = TextFormatter().format(logging.makeLogRecord(values))
    first, *others = line.split("\n")
    assert first.isprintable()
    assert all(other.isprintable() and other.startswith("    ") for other in others)
    assert (" path=" in first, " method=" in first) == (True, True)


@settings(deadline=None)
@given(values=RECORDS)
def test_no_value_forges_a_line_of_json(values: dict[str, Any]) -> None:
    line = JSONFormatter().format(logging.makeLogRecord({**values, "time": "forged", "level": "forged"}))
    assert line.isascii()
    assert line.isprintable()
    fields = json.loads(line)
    assert "INFO" == fields["level"]
    assert "forged" != fields["time"]
    assert ["time", "level", "logger", "message"] == list(fields)[:4]


@settings(deadline=None)
@given(value=TEXTS)
def test_a_quoted_value_of_text_has_an_end(value: str) -> None:
    line = TextFormatter().format(logging.makeLogRecord({"msg": "event", "client_id": value, "reason": "expired"}))
    _, _, rest = line.partition(" client_id=")
    if rest.startswith('"'):
        _, end = json.JSONDecoder().raw_decode(rest)
        assert " reason=expired" == rest[end:]
    else:
        assert " reason=expired" == f" {rest.partition(' ')[2]}"


@pytest.mark.parametrize("kind", [TextFormatter, JSONFormatter])
def test_a_traceback_is_not_cut(kind: type[TextFormatter | JSONFormatter]) -> None:
    error = ValueError(f"{'x' * 5000} the end")
    assert "the end" in kind().format(logging.makeLogRecord({"msg": "event", "exc_info": (ValueError, error, None)}))
