"""What depends on a token is not served to another client by a shared cache: nginx with ``proxy_cache``."""

from __future__ import annotations

import contextlib
import getpass
import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, ClassVar

import nginx
import pytest
import tornado.web
from programs import free_port
from tornado.httpclient import AsyncHTTPClient, HTTPResponse
from tornado.wsgi import WSGIContainer

from fakeissuer import RunningIssuer
from service import BearerAuthMixin, ResourceServerApplication, Settings, make_app, protected, public

HTTP = """
    proxy_cache_path cache keys_zone=shared:1m;
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://127.0.0.1:{service};
            proxy_cache shared;
            proxy_cache_valid any 10m;
            proxy_cache_key $uri$arg_v;
            add_header X-Cache $upstream_cache_status always;
        }}
    }}
"""
ALICE, BOB, ANONYMOUS = "alice@example.com", "bob@example.com", None


class Mine(BearerAuthMixin, tornado.web.RequestHandler):
    """Sends the user a response that differs from user to user."""

    def get(self) -> None:
        self.write(f"for {self.current_user.subject if self.current_user else 'anonymous'}")


class LongLived(Mine):
    def get(self) -> None:
        self.set_header("Cache-Control", "max-age=600")
        super().get()


class Expiring(Mine):
    def get(self) -> None:
        self.set_header("Expires", "Tue, 01 Jan 2999 00:00:00 GMT")
        super().get()


class Query(Mine):
    token_sources = "query"


class Cookie(Mine):
    token_sources = "cookie"


class Optional(LongLived):
    optional = True


class OptionalCookie(LongLived):
    optional = True
    token_sources: ClassVar = ["header", "cookie"]


class Denied(BearerAuthMixin, tornado.web.RequestHandler):
    """Marks its responses as public by default, and rejects every user but Alice."""

    def set_default_headers(self) -> None:
        self.set_header("Cache-Control", "public, max-age=600")

    def get(self) -> None:
        if self.principal.subject != ALICE:
            raise tornado.web.HTTPError(403)
        self.write(f"for {ALICE}")


class Shared(BearerAuthMixin, tornado.web.RequestHandler):
    """Sends every user with a token the same response, and marks it as public."""

    def get(self) -> None:
        self.set_header("Cache-Control", "public, max-age=600")
        self.write("for all")


class Unaware(tornado.web.RequestHandler):
    """Marks its responses as public, since its author does not know that they are protected."""

    def get(self) -> None:
        self.set_header("Cache-Control", "public, max-age=600")
        self.write(f"for {self.current_user.subject if self.current_user else 'anonymous'}")


def _wsgi(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain"), ("Cache-Control", "max-age=600")])
    return [environ["HTTP_AUTHORIZATION"].encode()[-20:]]


def _nginx(folder: Path, *, service: int) -> contextlib.AbstractAsyncContextManager[str]:
    port = free_port()
    http = HTTP.format(port=port, service=service)
    return nginx.running(folder, port=port, http=http, main=f"user {getpass.getuser()};")


Send = Callable[..., Any]


@pytest.fixture
def url(fake_issuer: RunningIssuer, listen: Callable[[ResourceServerApplication], str], tmp_path: Path) -> str:
    files = tmp_path / "files"
    files.mkdir()
    (files / "secret.txt").write_text("the secret")
    kinds = (Mine, LongLived, Expiring, Query, Cookie, Optional, OptionalCookie, Denied, Shared)
    routes: list[Any] = [(f"/{kind.__name__}", kind) for kind in kinds]
    routes += [
        (r"/files/(.*)", protected(tornado.web.StaticFileHandler), {"path": str(files)}),
        (r"/open/(.*)", public(tornado.web.StaticFileHandler), {"path": str(files)}),
        (r"/Unaware", protected(Unaware)),
        (r"/OptionalUnaware", protected(Unaware, optional=True)),
        (r"/wsgi", protected(tornado.web.FallbackHandler), {"fallback": WSGIContainer(_wsgi)}),
    ]
    return listen(
        make_app(Settings(issuer=fake_issuer.issuer_url(), cors_origins=("https://app.example",)), routes=routes)
    )


@pytest.fixture
def cached(
    fake_issuer: RunningIssuer, url: str, tmp_path: Path
) -> Callable[..., contextlib.AbstractAsyncContextManager[Send]]:
    """Return a context with a function that sends a user's request through nginx."""
    if shutil.which("nginx") is None:
        pytest.skip("nginx is not installed; Debian has it as nginx-light")

    @contextlib.asynccontextmanager
    async def running() -> AsyncIterator[Send]:
        async with _nginx(tmp_path, service=int(url.rpartition(":")[2])) as proxy:

            async def send(path: str, user: str | None, *, place: str = "header", **headers: str) -> HTTPResponse:
                if user is not None:
                    token = fake_issuer.token(sub=user)
                    match place:
                        case "header":
                            headers["Authorization"] = f"Bearer {token}"
                        case "cookie":
                            headers["Cookie"] = f"__Host-access_token={token}"
                        case "query":
                            path += f"?access_token={token}"
                return await AsyncHTTPClient().fetch(proxy + path, headers=headers, raise_error=False)

            yield send

    return running


PROTECTED = [
    ("/Mine", "header"),
    ("/LongLived", "header"),
    ("/Expiring", "header"),
    ("/Query", "query"),
    ("/Cookie", "cookie"),
    ("/files/secret.txt", "header"),
    ("/files/secret.txt?v=1", "header"),
    ("/wsgi", "header"),
    ("/Unaware", "header"),
]


@pytest.mark.parametrize(("path", "place"), PROTECTED)
@pytest.mark.gen_test
async def test_a_response_to_one_user_reaches_no_other_client(path: str, place: str, cached: Any) -> None:
    async with cached() as send:
        alice = await send(path, ALICE, place=place)
        assert (200, "MISS") == (alice.code, alice.headers["X-Cache"])
        anonymous = await send(path, ANONYMOUS)
        assert (401, "MISS") == (anonymous.code, anonymous.headers["X-Cache"])
        bob = await send(path, BOB, place=place)
        assert (200, "MISS") == (bob.code, bob.headers["X-Cache"])
        assert (alice.body == bob.body) is path.startswith("/files")


@pytest.mark.parametrize("path", ["/Optional", "/OptionalCookie", "/OptionalUnaware"])
@pytest.mark.gen_test
async def test_a_response_to_an_anonymous_client_reaches_no_user(path: str, cached: Any) -> None:
    async with cached() as send:
        anonymous = [await send(path, ANONYMOUS) for _ in range(2)]
        assert [b"for anonymous"] * 2 == [response.body for response in anonymous]
        for user, place in [(ALICE, "header"), (BOB, "header"), *[(ALICE, "cookie")] * (path == "/OptionalCookie")]:
            response = await send(path, user, place=place)
            assert (f"for {user}".encode(), "MISS") == (response.body, response.headers["X-Cache"])
        assert b"for anonymous" == (await send(path, ANONYMOUS)).body


@pytest.mark.gen_test
async def test_a_rejection_is_not_cached(cached: Any) -> None:
    async with cached() as send:
        for user, status in [(ANONYMOUS, 401), (BOB, 403), (BOB, 403), (ANONYMOUS, 401), (ALICE, 200)]:
            response = await send("/Denied", user)
            assert (status, "MISS") == (response.code, response.headers["X-Cache"])


@pytest.mark.gen_test
async def test_a_response_that_is_public_is_cached(cached: Any) -> None:
    async with cached() as send:
        for path, user in (("/Shared", ALICE), ("/open/secret.txt", ANONYMOUS)):
            hits = [(await send(path, user)).headers["X-Cache"] for _ in range(2)]
            assert ["MISS", "HIT"] == hits


@pytest.mark.parametrize(
    ("path", "cache_control", "vary"),
    [
        ("/Mine", "private", "Authorization, Origin"),
        ("/LongLived", "private, max-age=600", "Authorization, Origin"),
        ("/Expiring", "private", "Authorization, Origin"),
        ("/OptionalCookie", "private, max-age=600", "Authorization, Cookie, Origin"),
        ("/files/secret.txt", "private", "Authorization, Origin"),
        ("/files/secret.txt?v=1", "private, max-age=315360000", "Authorization, Origin"),
        ("/Shared", "public, max-age=600", "Origin"),
        ("/wsgi", "private, max-age=600", "Authorization, Origin"),
        ("/Unaware", "private, max-age=600", "Authorization, Origin"),
    ],
)
@pytest.mark.gen_test
async def test_the_header_fields_state_what_a_response_depends_on(
    path: str, cache_control: str, vary: str, cached: Any
) -> None:
    async with cached() as send:
        response = await send(path, ALICE)
        assert (cache_control, vary) == (response.headers["Cache-Control"], response.headers["Vary"])


@pytest.mark.gen_test
async def test_a_file_that_has_not_changed_is_private_too(url: str, fake_issuer: RunningIssuer) -> None:
    headers = {"Authorization": f"Bearer {fake_issuer.token()}"}
    for path in ("/files/secret.txt", "/Mine"):
        response = await AsyncHTTPClient().fetch(url + path, headers=headers)
        again = headers | {"If-None-Match": response.headers["Etag"]}
        response = await AsyncHTTPClient().fetch(url + path, headers=again, raise_error=False)
        assert (304, "private", "Authorization, Origin") == (
            response.code,
            response.headers["Cache-Control"],
            response.headers["Vary"],
        )
