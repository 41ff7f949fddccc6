"""The official MCP SDK's client finds our issuer from a refusal alone (RFC 9728 section 5)."""

from __future__ import annotations

import httpx2
import pytest
from mcp.client.auth import AuthorizationCodeResult, OAuthClientProvider
from mcp.shared.auth import OAuthClientInformationFull, OAuthClientMetadata, OAuthToken
from pydantic import AnyUrl
from tornado.httpserver import HTTPServer
from tornado.testing import bind_unused_port

from fakeissuer import RunningIssuer
from service import Settings, make_app

CALLBACK = AnyUrl("http://127.0.0.1:9/callback")


class Storage:
    """What a client keeps that its authorization server knows already, and that has no token yet."""

    def __init__(self, issuer: str) -> None:
        self.issuer = issuer

    async def get_tokens(self) -> OAuthToken | None:
        return None

    async def set_tokens(self, tokens: OAuthToken) -> None:
        raise AssertionError(f"received a token without a sign-in: {tokens.scope}")

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        return OAuthClientInformationFull(
            client_id="0oaspa00000000000001", redirect_uris=[CALLBACK], issuer=self.issuer
        )

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        raise AssertionError(f"{client_info.client_id} is registered already")


class SentToSignInError(Exception):
    """Where discovery ends, and a person would begin."""


async def _sent_to(url: str) -> None:
    raise SentToSignInError(url)


async def _never() -> AuthorizationCodeResult:
    raise AssertionError("no redirect is expected")


@pytest.mark.parametrize("told", [True, False], ids=["by the challenge", "by the well-known path"])
@pytest.mark.gen_test
async def test_an_mcp_client_discovers_the_issuer(fake_issuer: RunningIssuer, *, told: bool) -> None:
    socket, port = bind_unused_port()
    url = f"http://127.0.0.1:{port}"
    app = make_app(Settings(issuer=fake_issuer.issuer_url(), public_url=url if told else None))
    server = HTTPServer(app)
    server.add_socket(socket)
    provider = OAuthClientProvider(
        server_url=f"{url}/api/whoami",
        client_metadata=OAuthClientMetadata(redirect_uris=[CALLBACK]),
        storage=Storage(fake_issuer.issuer_url()),
        redirect_handler=_sent_to,
        callback_handler=_never,
    )
    async with httpx2.AsyncClient(auth=provider) as client:
        with pytest.raises(SentToSignInError) as sent:
            await client.get(f"{url}/api/whoami")
    assert str(sent.value).startswith(f"{fake_issuer.issuer_url()}/v1/authorize?")
    found = provider.context.protected_resource_metadata
    assert found is not None
    assert [fake_issuer.issuer_url()] == [str(one) for one in found.authorization_servers]
    assert url == str(found.resource).rstrip("/") if told else f"{url}/api/whoami" == str(found.resource)
    server.stop()
    await server.close_all_connections()
    await app.close()
