from __future__ import annotations

import json
import sys
import threading
import warnings
from types import SimpleNamespace
from typing import Any

import pytest

from service.operations.logs.configuration import configure_logging


def _lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_a_warning_of_python_is_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(log_format="json", log_level="info")
    warnings.showwarning("old", DeprecationWarning, "handlers.py", 7)
    (line,) = _lines(capsys)
    assert ("WARNING", "Python warning: old", "DeprecationWarning", "handlers.py:7") == (
        line["level"],
        line["message"],
        line["category"],
        line["place"],
    )


def test_an_uncaught_exception_is_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(log_format="json", log_level="info")
    sys.excepthook(ValueError, ValueError("broken\nforged"), None)
    sys.excepthook(KeyboardInterrupt, KeyboardInterrupt(), None)
    first, second = _lines(capsys)
    assert ("CRITICAL", "ValueError: broken\nforged") == (first["level"], first["exc_info"])
    assert "interrupted" == second["message"]


def test_an_uncaught_exception_of_a_thread_is_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(log_format="json", log_level="info")
    for error in (ValueError("broken"), SystemExit(), None):
        arguments: Any = SimpleNamespace(exc_value=error, thread=None)
        threading.excepthook(arguments)
    (line,) = _lines(capsys)
    assert "ValueError: broken" == line["exc_info"]


def test_an_exception_in_a_finalizer_is_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(log_format="json", log_level="info")
    arguments: Any = SimpleNamespace(exc_value=ValueError("broken"), err_msg=None, object=object())
    sys.unraisablehook(arguments)
    (line,) = _lines(capsys)
    assert ("ValueError: broken", "Exception ignored in object") == (line["exc_info"], line["source"])
