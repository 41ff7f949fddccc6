"""The initial servers, clients and users, which ``reset`` restores."""

from __future__ import annotations

from fakeissuer.model.clients import AuthMethod, Client
from fakeissuer.model.endpoints import ORG
from fakeissuer.model.grant_types import CLIENT_CREDENTIALS, DEVICE_CODE, TOKEN_EXCHANGE
from fakeissuer.model.registry import Registry
from fakeissuer.model.servers import ORG_SCOPES, Server
from fakeissuer.model.users import User
from fakeissuer.profiles.profile import Profile

SERVICE_APP = "0oaservice0000000001"
WEB_APP = "0oaweb00000000000001"
SINGLE_PAGE_APP = "0oaspa00000000000001"
DEVICE_APP = "0oadevice00000000001"
API_APP = "0oaapi00000000000001"

_LOOPBACK_REDIRECTS = ("http://127.0.0.1:*", "http://localhost:*")
_PUBLIC: tuple[AuthMethod, ...] = ("none",)


def seed(org_url: str, profile: Profile | None = None) -> Registry:
    """Return the initial registry of a profile; the org server, which only Okta has, has its own URL as audience."""
    audiences = {"default": "api://default", "partner": "api://partner"}
    servers = [
        Server(id=name, audience=audience if profile is None else profile.audiences.get(name, audience))
        for name, audience in audiences.items()
    ]
    if profile is None or profile.has_org_server:
        servers.append(Server(id=ORG, audience=org_url, scopes=ORG_SCOPES, default_scopes=()))
    clients = (
        Client(
            id=SERVICE_APP,
            name="service app",
            secret="service-secret-for-tests-only-0000001",  # noqa: S106  # public, printed at start
            grant_types=(CLIENT_CREDENTIALS, TOKEN_EXCHANGE),
        ),
        Client(
            id=WEB_APP,
            name="web app",
            secret="web-secret-for-tests-only-00000000001",  # noqa: S106  # as above
            grant_types=("authorization_code", "refresh_token", "password"),
            redirect_uris=_LOOPBACK_REDIRECTS,
            post_logout_redirect_uris=_LOOPBACK_REDIRECTS,
        ),
        Client(
            id=SINGLE_PAGE_APP,
            name="single-page app",
            auth_methods=_PUBLIC,
            grant_types=("authorization_code", "refresh_token"),
            redirect_uris=_LOOPBACK_REDIRECTS,
            post_logout_redirect_uris=_LOOPBACK_REDIRECTS,
        ),
        Client(id=DEVICE_APP, name="device app", auth_methods=_PUBLIC, grant_types=(DEVICE_CODE,)),
        Client(id=API_APP, name="the API itself", secret="api-secret-for-tests-only-00000000001"),  # noqa: S106  # as above
    )
    users = (
        User(login="alice@example.com", given_name="Alice", family_name="Adams", groups=("Everyone", "Admins")),
        User(login="bob@example.com", given_name="Bob", family_name="Brown"),
    )
    return Registry(
        servers={server.id: server for server in servers},
        clients={client.id: client for client in clients},
        users={user.login: user for user in users},
    )
