"""The endpoints by name: their paths and methods."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

EndpointName = Literal[
    "discovery",
    "keys",
    "token",
    "introspect",
    "revoke",
    "userinfo",
    "authorize",
    "logout",
    "device",
    "backchannel",
    "par",
    "register",
]

ENDPOINT_NAMES: tuple[EndpointName, ...] = get_args(EndpointName)


@dataclass(frozen=True)
class Endpoint:
    """The path and the methods of an endpoint."""

    path: str
    methods: tuple[str, ...]


ENDPOINTS: dict[EndpointName, Endpoint] = {
    "discovery": Endpoint(".well-known", ("GET", "HEAD")),
    "keys": Endpoint("keys", ("GET", "HEAD")),
    "token": Endpoint("token", ("POST",)),
    "introspect": Endpoint("introspect", ("POST",)),
    "revoke": Endpoint("revoke", ("POST",)),
    "userinfo": Endpoint("userinfo", ("GET", "HEAD", "POST")),
    "authorize": Endpoint("authorize", ("GET", "HEAD", "POST")),
    "logout": Endpoint("logout", ("GET", "HEAD", "POST")),
    "device": Endpoint("device/authorize", ("POST",)),
    "backchannel": Endpoint("bc/authorize", ("POST",)),
    "par": Endpoint("par", ("POST",)),
    "register": Endpoint("clients", ("POST",)),
}
"""Okta's paths below ``/v1/`` of a server, except discovery at its root and ``register`` at the org server only."""

ORG = "org"
"""The name of the org authorization server in the control plane; its URLs do not contain it."""
