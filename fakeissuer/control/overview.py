"""The overview of the issuer: servers with their URLs, clients, users, and the calls of the control plane."""

from __future__ import annotations

from collections.abc import Iterable

from fakeissuer.model.clients import Client
from fakeissuer.model.records import Record
from fakeissuer.model.servers import Server
from fakeissuer.model.users import User
from fakeissuer.state.state import IssuerState


class ServerOverview(Record, frozen=True, kw_only=True):
    """A server with the URLs of its endpoints."""

    id: str
    issuer: str
    audience: str
    scopes: tuple[str, ...]
    default_scopes: tuple[str, ...]
    links: dict[str, str]


class Overview(Record, frozen=True, kw_only=True):
    """The registered data and the URLs of the control plane."""

    url: str
    listening_url: str
    servers: tuple[ServerOverview, ...]
    clients: tuple[Client, ...]
    users: tuple[User, ...]
    links: dict[str, str]


class Approval(Record, frozen=True, kw_only=True):
    """A pending CIBA request: the requested scopes, and the message for the user."""

    login: str
    client_id: str
    scopes: tuple[str, ...]
    binding_message: str


def overview(state: IssuerState, call_paths: Iterable[str] = ()) -> Overview:
    """Return the current overview, with a link for each of these paths below ``/_fake/``."""
    url = state.urls.public_url
    return Overview(
        url=url,
        listening_url=state.urls.listening_url,
        servers=tuple(_server(state, server) for server in state.registry.servers.values()),
        clients=tuple(state.registry.clients.values()),
        users=tuple(state.registry.users.values()),
        links={path: f"{url}/_fake/{path}" for path in call_paths},
    )


def _server(state: IssuerState, server: Server) -> ServerOverview:
    urls = state.urls.of(server)
    # Clients are registered at the org server only.
    endpoints = {name: url for name, url in urls.endpoints.items() if name != "register" or server.is_org}
    return ServerOverview(
        id=server.id,
        issuer=urls.issuer,
        audience=server.audience,
        scopes=server.scopes,
        default_scopes=server.default_scopes,
        links={**urls.documents, **{str(name): url for name, url in endpoints.items()}},
    )
