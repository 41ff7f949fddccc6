"""Logging of the program: lines as text or JSON, the access log, errors that bypass ``logging``; export of spans."""

from __future__ import annotations

from service.operations.logs.configuration import announce, configure_logging, report_start_error

__all__ = ["announce", "configure_logging", "report_start_error"]
