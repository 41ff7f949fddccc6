"""The health of the service and its metrics, which are served without a token."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from service.errors import IssuerUnavailable
from service.operations.admin.handler import AdminHandler
from service.operations.metrics import CONTENT_TYPE, Metrics


class HealthHandler(AdminHandler):
    """Responds as long as the process does."""

    def get(self) -> None:
        """Send the status."""
        self.write({"status": "alive"})


class ReadyHandler(AdminHandler):
    """The readiness with its reason, which the public endpoint withholds."""

    def initialize(self, *, check_ready: Callable[[], Awaitable[None]]) -> None:
        """Receive the check."""
        self._check_ready = check_ready

    async def get(self) -> None:
        """Send the readiness, with 503 unless the service is ready."""
        try:
            await self._check_ready()
        except IssuerUnavailable as exc:
            self.set_status(503)
            self.write({"status": "not ready", "reason": exc.detail})
        else:
            self.write({"status": "ready"})


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
