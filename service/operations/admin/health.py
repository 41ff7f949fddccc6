"""The health of the service and its metrics, which are served without a token."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from typing import Any

from service.errors import IssuerUnavailable
from service.health import Health
from service.operations.admin.handler import AdminHandler
from service.operations.metrics.metrics import CONTENT_TYPE, Metrics


class HealthHandler(AdminHandler):
    """Responds as long as the process does."""

    def get(self) -> None:
        """Send the status."""
        self.write({"status": "alive"})


class ReadyHandler(AdminHandler):
    """The readiness with its reason, which the public endpoint withholds."""

    def initialize(self, *, health: Health) -> None:
        """Receive the state of this process."""
        self._health = health

    async def get(self) -> None:
        """Send the readiness, with 503 unless the service is ready."""
        try:
            await self._health.check_ready()
        except IssuerUnavailable as exc:
            self.set_status(503)
            self.write({"status": "not ready", "reason": exc.detail})
        else:
            self.write({"status": "ready", "problems": self._health.problems})


class StatusHandler(AdminHandler):
    """The state of this process, and what is known of the others."""

    def initialize(self, *, health: Health, workers: Callable[[], list[dict[str, Any]] | None]) -> None:
        """Receive the state."""
        self._health = health
        self._workers = workers

    def get(self) -> None:
        """Send the state."""
        workers = self._workers()
        own: dict[str, Any] = {"pid": os.getpid(), **self._health.describe()}
        self.write(own if workers is None else own | {"workers": workers})


class MetricsHandler(AdminHandler):
    """The metrics in the text format of Prometheus."""

    def initialize(self, *, metrics: Metrics) -> None:
        """Receive the metrics."""
        self._metrics = metrics

    async def get(self) -> None:
        """Send the metrics."""
        text = await asyncio.to_thread(self._metrics.generate)  # reads one file for each process and metric type
        self.set_header("Content-Type", CONTENT_TYPE)
        self.write(text)
