"""Tells a load balancer whether the process lives, and whether it can judge tokens."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import tornado.web

from service.errors import IssuerUnavailable
from service.web.handler.mixin import BearerAuthMixin
from service.web.openapi.overrides import SERVICE_TAG, json_response

_SECONDS = {"type": "integer", "minimum": 0}


def _status_schema(word: str) -> dict[str, Any]:
    """Return the schema of an answer that says one thing."""
    return {"type": "object", "required": ["status"], "properties": {"status": {"const": word}}}


class Alive(BearerAuthMixin, tornado.web.RequestHandler):
    """Answers as long as the event loop turns; an issuer's outage must not get the process killed."""

    public = True
    openapi: ClassVar[dict[str, Any]] = {"GET": json_response(_status_schema("alive")) | SERVICE_TAG}

    def get(self) -> None:
        """Say that the process lives."""
        self.write({"status": "alive"})


class Ready(BearerAuthMixin, tornado.web.RequestHandler):
    """Answers 200 while tokens can be judged, so that requests go where they can be served."""

    public = True
    openapi: ClassVar[dict[str, Any]] = {
        "GET": {
            "responses": {
                **json_response(_status_schema("ready"), "Tokens can be judged.")["responses"],
                "503": {
                    "description": "An issuer cannot be asked for its keys.",
                    "headers": {"Retry-After": {"description": "Seconds.", "required": True, "schema": _SECONDS}},
                    "content": {"application/json": {"schema": _status_schema("not ready")}},
                },
            },
            **SERVICE_TAG,
        }
    }

    async def get(self) -> None:
        """Say whether every issuer's keys are at hand, and if not, why."""
        try:
            await self._context.authenticators.check_ready()
        except IssuerUnavailable as exc:
            self.set_status(503)
            self.set_header("Retry-After", str(math.ceil(exc.retry_after)))
            self.write({"status": "not ready", "reason": exc.detail})
        else:
            self.write({"status": "ready"})
        self.set_header("Cache-Control", "no-store")


ROUTES = [(r"/healthz", Alive), (r"/readyz", Ready)]
