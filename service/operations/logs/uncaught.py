"""Logs what Python would print: warnings, and exceptions that nothing catches."""

from __future__ import annotations

import logging
import sys
import threading
import warnings
from types import TracebackType
from typing import TextIO

_logger = logging.getLogger(__name__)


def log_uncaught() -> None:
    """Log warnings and uncaught exceptions of this process, of its threads and of its finalizers."""
    warnings.showwarning = _log_warning
    sys.excepthook = _log_exception
    threading.excepthook = _log_exception_of_thread
    sys.unraisablehook = _log_unraisable


def _log_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,  # noqa: ARG001  # the signature of `warnings.showwarning`
    line: str | None = None,  # noqa: ARG001  # as above
) -> None:
    fields = {"category": category.__name__, "place": f"{filename}:{lineno}"}
    _logger.warning("Python warning: %s", message, extra=fields)


def _log_exception(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        _logger.warning("interrupted")
        return
    _logger.critical("uncaught exception", exc_info=(kind, error, traceback))


def _log_exception_of_thread(arguments: threading.ExceptHookArgs) -> None:
    error = arguments.exc_value
    if error is not None and not isinstance(error, SystemExit):
        name = None if arguments.thread is None else arguments.thread.name
        _logger.error("uncaught exception in a thread", exc_info=error, extra={"thread_name": name})


def _log_unraisable(arguments: sys.UnraisableHookArgs) -> None:
    fields = {"source": f"{arguments.err_msg or 'Exception ignored in'} {type(arguments.object).__name__}"}
    _logger.error("exception ignored by Python", exc_info=arguments.exc_value, extra=fields)
