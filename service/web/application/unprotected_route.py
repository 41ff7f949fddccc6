"""The handler of a request that no protected or public handler can serve."""

from __future__ import annotations

from dataclasses import replace

import tornado.web

from service.web.handler.mixin import BearerAuthMixin
from service.web.handler.problems import find_problem
from service.web.routing.audit import route_of


class UnprotectedRoute(BearerAuthMixin, tornado.web.RequestHandler):
    """Responds 500 in place of what a route leads to, and logs the route."""

    public = True

    def initialize(
        self, *, target: object = None, problem: str | None = None, cause: BaseException | None = None
    ) -> None:
        """Store the target in place of which this handler is created, and what is wrong with it, if known."""
        self._target = target
        self._problem = problem
        self._cause = cause

    def prepare(self) -> None:
        """Respond 500 to every method."""
        route = route_of(self.application, self.request)
        if self._target is not None:
            route = replace(route, target=self._target)
        problem = self._problem or find_problem(route.target, {}) or "but another object would have served the request"
        raise RuntimeError(route.describe(problem)) from self._cause

    def data_received(self, chunk: bytes) -> None:
        """Ignore the body, which the intended handler would have read as a stream."""
