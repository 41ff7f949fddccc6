"""Liveness and readiness checks for a load balancer."""

from __future__ import annotations

import logging
import math
from typing import Any, ClassVar

import tornado.web

from service.errors import IssuerUnavailable
from service.web.handler.mixin import BearerAuthMixin
from service.web.openapi.overrides import SERVICE_TAG, json_response

_logger = logging.getLogger(__name__)

_SECONDS = {"type": "integer", "minimum": 0}


def _status_schema(status: str) -> dict[str, Any]:
    """Return the schema of a response with one status."""
    return {"type": "object", "required": ["status"], "properties": {"status": {"const": status}}}


_READY = _status_schema("ready")
_READY["properties"]["degraded"] = {
    "const": True,
    "description": "There is a problem that does not stop the validation of tokens, or not yet.",
}


class Alive(BearerAuthMixin, tornado.web.RequestHandler):
    """Responds 200 while the event loop runs; an outage of the issuer must not restart the process."""

    public = True
    _head_as_get = True
    openapi: ClassVar[dict[str, Any]] = {"GET": json_response(_status_schema("alive")) | SERVICE_TAG}

    def get(self) -> None:
        """Return 200 while the process is alive."""
        self.write({"status": "alive"})

    def compute_etag(self) -> None:
        """Send no ``ETag``, since a load balancer never revalidates."""


class Ready(BearerAuthMixin, tornado.web.RequestHandler):
    """Responds 200 while tokens can be validated."""

    public = True
    _head_as_get = True
    openapi: ClassVar[dict[str, Any]] = {
        "GET": {
            "responses": {
                **json_response(_READY, "Tokens can be validated.")["responses"],
                "503": {
                    "description": "The keys of an issuer cannot be fetched.",
                    "headers": {"Retry-After": {"description": "Seconds.", "required": True, "schema": _SECONDS}},
                    "content": {"application/json": {"schema": _status_schema("not ready")}},
                },
            },
            **SERVICE_TAG,
        }
    }

    async def get(self) -> None:
        """Return 200 if the keys of every issuer are available, or 503."""
        try:
            await self._context.health.check_ready()
        except IssuerUnavailable as exc:
            # The reason can name internal hosts; operators find it here and on the admin port.
            _logger.info("not ready", extra={"reason": exc.detail})
            self.set_status(503)
            self.set_header("Retry-After", str(math.ceil(exc.retry_after)))
            self.write({"status": "not ready"})
        else:
            # The problems are named on the admin port only.
            self.write({"status": "ready"} | ({"degraded": True} if self._context.health.problems else {}))
        self.set_header("Cache-Control", "no-store")


ROUTES = [(r"/healthz", Alive), (r"/livez", Alive), (r"/readyz", Ready)]
