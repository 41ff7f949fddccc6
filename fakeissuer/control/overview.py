"""What there is to be seen: servers with their URLs, clients, users, and the calls of the control plane."""

from __future__ import annotations

from fakeissuer.model.clients import Client
from fakeissuer.model.endpoints import ENDPOINTS
from fakeissuer.model.records import Record
from fakeissuer.model.servers import Server
from fakeissuer.model.users import User
from fakeissuer.state.state import IssuerState

CONTROL_CALLS = (
    "tokens",
    "bad-tokens",
    "faults",
    "clock",
    "keys",
    "keys/rotate",
    "keys/withdraw",
    "keys/lag",
    "requests",
    "revoke",
    "approvals",
    "reset",
)


class ServerOverview(Record, frozen=True, kw_only=True):
    """A server as a client has to know it."""

    id: str
    issuer: str
    audience: str
    scopes: tuple[str, ...]
    default_scopes: tuple[str, ...]
    links: dict[str, str]


class Overview(Record, frozen=True, kw_only=True):
    """All there is."""

    url: str
    listening_url: str
    servers: tuple[ServerOverview, ...]
    clients: tuple[Client, ...]
    users: tuple[User, ...]
    links: dict[str, str]


class Approval(Record, frozen=True, kw_only=True):
    """A client that waits for a user: what it asks for, and what the user is to see."""

    login: str
    client_id: str
    scopes: tuple[str, ...]
    binding_message: str


def overview(state: IssuerState) -> Overview:
    """Return what is here now."""
    url = state.urls.public_url
    return Overview(
        url=url,
        listening_url=state.urls.listening_url,
        servers=tuple(_server(state, server) for server in state.registry.servers.values()),
        clients=tuple(state.registry.clients.values()),
        users=tuple(state.registry.users.values()),
        links={call: f"{url}/_fake/{call}" for call in CONTROL_CALLS},
    )


def _server(state: IssuerState, server: Server) -> ServerOverview:
    issuer = state.urls.issuer(server)
    endpoints = state.urls.endpoints(server)
    names = ENDPOINTS.keys() - ({"discovery"} if server.is_org else {"discovery", "register"})
    return ServerOverview(
        id=server.id,
        issuer=issuer,
        audience=server.audience,
        scopes=server.scopes,
        default_scopes=server.default_scopes,
        links={
            "openid-configuration": f"{issuer}/.well-known/openid-configuration",
            "oauth-authorization-server": f"{issuer}/.well-known/oauth-authorization-server",
            **{name: f"{endpoints}/{endpoint.path}" for name, endpoint in ENDPOINTS.items() if name in names},
        },
    )
