"""The settings of logging and tracing."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict


class LogSettings(BaseModel):
    """The part of the settings that concerns what the server tells about its requests."""

    model_config = ConfigDict(defer_build=True)

    log_format: Literal["text", "json"] = "text"
    """The format of log lines."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """The lowest level that is logged; successful health checks are logged at ``debug``."""
    log_principal: bool = False
    """Whether the access log names the subject and the client ID of each token, which may be personal data."""
    tracing: bool = False
    """Whether requests are traced with OpenTelemetry, which the extra ``otel`` installs."""
