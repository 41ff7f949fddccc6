from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from tornado.httpclient import AsyncHTTPClient, HTTPResponse
from tornado.ioloop import IOLoop

from service.authenticator import Authenticator, Authenticators
from service.binding import BindingCheck
from service.caches.deny_list import DenyList
from service.caches.shared import SharedCache
from service.caches.tokens import ValidatedTokenCache
from service.errors import InvalidToken, IssuerUnavailable, Reason
from service.health import Health
from service.tokens.presented import PresentedToken
from service.tokens.principal import Principal
from service.web.application.application import ResourceServerApplication
from service.web.handler.context import ResourceServerContext
from service.web.responses.cors import CrossOriginPolicy
from service.web.responses.resource import Resource


class FakeValidator:
    """A validator of tokens that name their result: ``good`` or ``lasting`` with scopes, ``bad``, or ``unknown``."""

    def __init__(self) -> None:
        self.calls = 0

    async def validate(self, token: PresentedToken) -> Principal | None:
        self.calls += 1
        result, *scopes = token.text.split("~")
        match result:
            case "good" | "lasting":
                exp = 1 if result == "good" else 4_000_000_000
                return Principal.from_claims({"iss": "test", "exp": exp, "sub": "alice", "scp": scopes})
            case "unknown":
                raise IssuerUnavailable("the issuer is down", retry_after=7)
            case _:
                raise InvalidToken(Reason.EXPIRED, "3 s ago", claim="exp")

    async def check_ready(self) -> None:
        """Return immediately."""

    async def close(self) -> None:
        """Do nothing."""


@pytest.fixture
def validator() -> FakeValidator:
    return FakeValidator()


@pytest.fixture
def serve(
    io_loop: IOLoop,
    validator: FakeValidator,
    token_cache: ValidatedTokenCache,
    deny_list: DenyList,
    binding: BindingCheck,
    cache: SharedCache,
) -> Callable[..., ResourceServerApplication]:
    """Return a function that builds an application of routes, protected by :class:`FakeValidator`."""

    def make(
        routes: Sequence[Any],
        *,
        cors_origins: Sequence[str] = (),
        resource: Resource | None = None,
        head_as_get: bool = False,
        **settings: Any,
    ) -> ResourceServerApplication:
        authenticators = Authenticators(
            lambda _: Authenticator([validator], token_cache=token_cache, deny_list=deny_list, binding=binding)
        )
        context = ResourceServerContext(
            authenticators=authenticators,
            health=Health(authenticators, issuers=list, deny_list=deny_list, cache=cache, binding=binding),
            cors=CrossOriginPolicy(cors_origins),
            realm="test",
            resource=resource or Resource(),
            head_as_get=head_as_get,
        )
        own = {name: settings.pop(name) for name in ("access_log", "documentation", "limits") if name in settings}
        return ResourceServerApplication(routes, context=context, deny_list=deny_list, tornado_settings=settings, **own)

    return make


@pytest.fixture
def call(http_client: AsyncHTTPClient, base_url: str) -> Callable[..., Any]:
    """Return a function that sends a request to the application of the test, optionally with a token."""

    async def send(path: str, token: str | None = None, method: str = "GET", **headers: str) -> HTTPResponse:
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        return await http_client.fetch(
            base_url + path, method=method, headers=headers, raise_error=False, allow_nonstandard_methods=True
        )

    return send
