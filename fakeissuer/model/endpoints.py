"""The endpoints by name: what faults and the journal call them, where they are, which methods they answer."""

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
    """Where an endpoint is, and which methods it answers."""

    path: str
    methods: tuple[str, ...]


ENDPOINTS: dict[EndpointName, Endpoint] = {
    "discovery": Endpoint(".well-known", ("GET", "HEAD")),
    "keys": Endpoint("keys", ("GET", "HEAD")),
    "token": Endpoint("token", ("POST",)),
    "introspect": Endpoint("introspect", ("POST",)),
    "revoke": Endpoint("revoke", ("POST",)),
    "userinfo": Endpoint("userinfo", ("GET", "POST")),
    "authorize": Endpoint("authorize", ("GET", "POST")),
    "logout": Endpoint("logout", ("GET", "POST")),
    "device": Endpoint("device/authorize", ("POST",)),
    "backchannel": Endpoint("bc/authorize", ("POST",)),
    "par": Endpoint("par", ("POST",)),
    "register": Endpoint("clients", ("POST",)),
}
"""Paths below ``/v1/`` of a server, except discovery at its root and ``register``, which belongs to the org."""

ORG = "org"
"""The name of the org authorization server, in the control plane; it has no place of its own below ``/oauth2/``."""
