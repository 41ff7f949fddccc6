"""The start-up message: issuers, clients, users, and a curl command that gets a token."""

from __future__ import annotations

from fakeissuer.control.overview import Overview
from fakeissuer.model.clients import Client
from fakeissuer.model.grant_types import CLIENT_CREDENTIALS


def startup_message(overview: Overview) -> str:
    """Return the lines for standard output."""
    lines = ["Issuers:"]
    lines += [f"  {server.issuer}   audience {server.audience}" for server in overview.servers]
    lines += ["", "Clients:"]
    lines += [f"  {client.id} / {client.secret or '(public)'}   {_purpose(client)}" for client in overview.clients]
    lines += ["", "Users:"]
    lines += [f"  {user.login} / {user.password}   groups {', '.join(user.groups)}" for user in overview.users]
    lines += ["", f"Control plane: {overview.url}/_fake/"]
    if command := token_command(overview):
        lines += ["", "A token:", f"  {command}"]
    return "\n".join(lines)


def token_command(overview: Overview) -> str | None:
    """Return a curl command that gets a token, or None without a client that has a secret and client_credentials."""
    for client in overview.clients:
        if CLIENT_CREDENTIALS in client.grant_types and client.secret is not None:
            token_endpoint = overview.servers[0].links["token"]
            return f"curl -s -u {client.id}:{client.secret} -d grant_type={CLIENT_CREDENTIALS} {token_endpoint}"
    return None


def _purpose(client: Client) -> str:
    grants = ", ".join(grant.rpartition(":")[2] for grant in client.grant_types)
    return f"{client.name}: {grants or 'may introspect'}"
