"""Logging of the program: lines as text or JSON, the access log, errors that bypass ``logging``, and spans."""

from __future__ import annotations

from service.operations.logs.configuration import announce, configure_logging, report_start_error
from service.operations.logs.export import exporting, find_exporters

__all__ = ["announce", "configure_logging", "exporting", "find_exporters", "report_start_error"]
