from __future__ import annotations

from fakeissuer.control.overview import overview
from fakeissuer.server.banner import startup_message, token_command
from fakeissuer.server.running_issuer import RunningIssuer
from fakeissuer.state.state import IssuerState


def test_the_message_lists_issuers_clients_and_users(state: IssuerState) -> None:
    said = startup_message(overview(state))
    for expected in ("/oauth2/default", "0oaspa00000000000001 / (public)", "alice@example.com / password", "/_fake/"):
        assert expected in said
    assert said.splitlines()[-1].lstrip().startswith("curl ")


def test_without_a_suitable_client_there_is_no_token_command(state: IssuerState) -> None:
    state.registry.clients.clear()
    assert token_command(overview(state)) is None
    assert "curl" not in startup_message(overview(state))


def test_the_token_command_uses_a_client_with_client_credentials(state: IssuerState) -> None:
    state.registry.clients = dict(reversed(state.registry.clients.items()))
    assert " 0oaservice0000000001:" in (token_command(overview(state)) or "")


def test_the_token_command_uses_the_first_server(fake_issuer: RunningIssuer) -> None:
    command = token_command(fake_issuer.overview())
    assert command is not None
    assert command.endswith(f" {fake_issuer.issuer_url()}/v1/token")
