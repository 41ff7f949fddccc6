from __future__ import annotations

from fakeissuer.control.overview import overview
from fakeissuer.server.banner import startup_message, token_command
from fakeissuer.server.running_issuer import RunningIssuer
from fakeissuer.state.state import IssuerState


def test_names_issuers_clients_and_users(state: IssuerState) -> None:
    said = startup_message(overview(state))
    for expected in ("/oauth2/default", "0oaspa00000000000001 / (public)", "alice@example.com / password", "/_fake/"):
        assert expected in said
    assert said.splitlines()[-1].lstrip().startswith("curl ")


def test_shows_no_line_for_a_token_that_nobody_could_get(state: IssuerState) -> None:
    state.registry.clients.clear()
    assert token_command(overview(state)) is None
    assert "curl" not in startup_message(overview(state))


def test_the_line_for_a_token_is_that_of_a_client_which_may_have_one(state: IssuerState) -> None:
    state.registry.clients = dict(reversed(state.registry.clients.items()))
    assert " 0oaservice0000000001:" in (token_command(overview(state)) or "")


def test_speaks_of_the_first_server(fake_issuer: RunningIssuer) -> None:
    command = token_command(fake_issuer.overview())
    assert command is not None
    assert command.endswith(f" {fake_issuer.issuer_url()}/v1/token")
