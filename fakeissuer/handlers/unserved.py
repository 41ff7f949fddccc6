"""Endpoints that the documents name as Okta's do, and that are not imitated: counted, spoilt on demand, 404 else."""

from __future__ import annotations

from fakeissuer.entries import Server
from fakeissuer.errors import Refused
from fakeissuer.handlers.base import EndpointHandler
from fakeissuer.problems import Problem
from fakeissuer.reply import Reply


class UnservedHandler(EndpointHandler):
    """An endpoint whose flow needs a person and a page."""

    def answer(self, server: Server) -> Reply:
        """Refuse, whatever the server is."""
        raise Refused(Problem.NOT_IMITATED, f"{self.endpoint} endpoint of {server.id}")


class AuthorizeHandler(UnservedHandler):
    """The authorization endpoint."""

    endpoint = "authorize"


class LogoutHandler(UnservedHandler):
    """The end of a session."""

    endpoint = "logout"


class DeviceHandler(UnservedHandler):
    """The device authorization endpoint."""

    endpoint = "device"


class ParHandler(UnservedHandler):
    """The pushed authorization request endpoint."""

    endpoint = "par"
