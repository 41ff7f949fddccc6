from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Generator
from typing import Any, ClassVar

import pytest
import tornado.gen
import tornado.web
from tornado.httpclient import AsyncHTTPClient
from tornado.web import RequestHandler
from tornado.websocket import WebSocketHandler

from service import policy
from service.tokens.principal import Principal
from service.web.application.application import ResourceServerApplication
from service.web.handler.mixin import BearerAuthMixin
from service.web.routing.wrap import protected

RAN: list[str] = []
OVERRIDE = "X-HTTP-Method-Override"


def _override(handler: RequestHandler) -> None:
    handler.request.method = handler.request.headers.get(OVERRIDE, handler.request.method)


class Items(BearerAuthMixin, RequestHandler):
    """Records which method ran; each needs the scope of its name."""

    scopes: ClassVar = {method: method.lower() for method in ("GET", "HEAD", "POST", "DELETE", "PUT")}

    def run(self) -> None:
        RAN.append(f"{self.request.method} by {self.principal.subject}")

    get = head = post = delete = put = run


class Early(Items):
    def prepare(self) -> Any:
        _override(self)
        return super().prepare()


class Late(Items):
    def prepare(self) -> Any:
        result = super().prepare()
        _override(self)
        return result


class WithoutSuper(Items):
    def prepare(self) -> None:
        _override(self)


class Asynchronous(Items):
    async def prepare(self) -> None:
        await asyncio.sleep(0)
        _override(self)


class OldCoroutine(Items):
    @tornado.gen.coroutine
    def prepare(self) -> Generator[Any, None, None]:
        yield tornado.gen.moment
        _override(self)


class Initialized(Items):
    def initialize(self) -> None:
        with pytest.raises(RuntimeError):
            _ = self.principal  # looks at the requirements of the first method
        _override(self)


class OtherBase(RequestHandler):
    def prepare(self) -> Awaitable[None] | None:
        _override(self)
        return None


class LaterBase(BearerAuthMixin, OtherBase):
    scopes: ClassVar = Items.scopes
    run = Items.run
    get = head = post = delete = put = run


class EarlierBase(OtherBase, BearerAuthMixin):
    scopes: ClassVar = Items.scopes
    run = Items.run
    get = head = post = delete = put = run


class Plain(OtherBase):
    def delete(self) -> None:
        RAN.append("DELETE by a wrapped handler")

    def post(self) -> None:
        RAN.append("POST by a wrapped handler")


@tornado.web.stream_request_body
class Streamed(Items):
    def data_received(self, chunk: bytes) -> None:
        self.request.method = chunk.decode()


@tornado.web.stream_request_body
class StreamedAsynchronously(Items):
    async def data_received(self, chunk: bytes) -> None:
        await asyncio.sleep(0)
        self.request.method = chunk.decode()

    async def authorize(self, _principal: Principal) -> bool:
        await asyncio.sleep(0)
        return True


class Mixed(BearerAuthMixin, RequestHandler):
    """Has a public method, an optional one and a protected one."""

    public = True
    token_sources: ClassVar = ["header", "cookie"]

    def prepare(self) -> None:
        _override(self)

    def get(self) -> None:
        self.write({"user": self.current_user and self.current_user.subject})

    @policy(optional=True)
    def put(self) -> None:
        self.write({"user": self.current_user and self.current_user.subject})

    @policy(scopes="delete")
    def delete(self) -> None:
        self.write({"user": self.principal.subject})


class Admins(WithoutSuper):
    """Its ``authorize`` looks at the method."""

    scopes: ClassVar[dict[str, str]] = {}

    async def authorize(self, _principal: Principal) -> bool:
        return self.request.method != "DELETE"


class Forms(WithoutSuper):
    token_sources = "form"


class Socket(BearerAuthMixin, WebSocketHandler):
    scopes: ClassVar = {"GET": "get", "POST": "post"}

    def prepare(self) -> None:
        _override(self)


class Ended(BearerAuthMixin, RequestHandler):
    def prepare(self) -> None:
        self.request.method = "DELETE"
        self.finish("ended")


class Renaming(BearerAuthMixin, RequestHandler):
    """Changes the method while its token is validated, and again while that is authorized."""

    scopes: ClassVar = Items.scopes

    async def authorize(self, _principal: Principal) -> bool:
        self.request.method = {"POST": "PUT", "PUT": "DELETE"}.get(str(self.request.method), self.request.method)
        return True

    def delete(self) -> None:
        RAN.append("DELETE")


class Redirecting(RequestHandler):
    """Has a ``prepare`` with parameters, as the handlers of Jupyter Server do."""

    async def prepare(self, *, redirect: bool = True, steps: tuple[str, ...] = ()) -> None:
        await asyncio.sleep(0)
        RAN.extend([*steps, f"redirect={redirect}"])

    def get(self) -> None:
        self.write({})


class ProtectedBase(BearerAuthMixin, Redirecting):
    """The base class of an application."""

    async def prepare(self, *, redirect: bool = True, steps: tuple[str, ...] = ()) -> None:
        await super().prepare(redirect=redirect, steps=(*steps, "base"))


class API(ProtectedBase):
    async def prepare(self, *, redirect: bool = False, steps: tuple[str, ...] = ()) -> None:
        await super().prepare(redirect=redirect, steps=(*steps, "api"))


class APIOfOthers(Redirecting):
    async def prepare(self, *, redirect: bool = False, steps: tuple[str, ...] = ()) -> None:
        await super().prepare(redirect=redirect, steps=(*steps, "api"))


class CallsPrepareItself(Redirecting):
    """Runs its ``prepare`` with arguments in its own ``_execute``."""

    async def _execute(self, transforms: Any, *_args: Any, **_kwargs: Any) -> None:
        self._transforms = transforms
        await self.prepare(redirect=False)
        self.get()
        await self.finish()


class Finished(BearerAuthMixin, RequestHandler):
    """Responds in its ``authorize``."""

    async def authorize(self, _principal: Principal) -> bool:
        self.set_status(202)
        self.finish("by authorize")
        return self.request.method == "GET"

    def prepare(self) -> None:
        RAN.append("prepare")

    def on_finish(self) -> None:
        RAN.append("on_finish")

    get = post = RequestHandler.prepare


class Disconnected(BearerAuthMixin, RequestHandler):
    """Relies on its ``prepare`` when the client disconnects."""

    def prepare(self) -> None:
        RAN.append("prepare")

    async def get(self) -> None:
        RAN.append("get")

    post = get

    def on_connection_close(self) -> None:
        RAN.append("on_connection_close")


KINDS: tuple[type[RequestHandler], ...] = (
    Early,
    Late,
    WithoutSuper,
    Asynchronous,
    OldCoroutine,
    Initialized,
    LaterBase,
    EarlierBase,
)


@pytest.fixture
def app(serve: Callable[..., ResourceServerApplication]) -> ResourceServerApplication:
    RAN.clear()
    others = (Mixed, Admins, Forms, Socket, Ended, Streamed, StreamedAsynchronously, Renaming, Finished, Disconnected)
    routes = [(f"/{kind.__name__}", kind) for kind in (*KINDS, *others, ProtectedBase, API)]
    wrapped = [(f"/{kind.__name__}", protected(kind)) for kind in (Redirecting, APIOfOthers, CallsPrepareItself)]
    return serve([*routes, *wrapped, ("/Plain", protected(Plain, scopes={"POST": "post", "DELETE": "delete"}))])


EACH_KIND = pytest.mark.parametrize("path", [*(f"/{kind.__name__}" for kind in KINDS), "/Plain"])


@EACH_KIND
@pytest.mark.gen_test
async def test_a_method_that_prepare_sets_needs_its_own_scopes(path: str, call: Callable[..., Any]) -> None:
    for _ in range(2):  # validated, then cached
        response = await call(path, "lasting~post", "POST", **{OVERRIDE: "DELETE"})
        assert (403, "insufficient_scope") == (response.code, json.loads(response.body)["error"])
        assert 'scope="delete"' in response.headers["WWW-Authenticate"]
    assert [] == RAN
    assert 200 == (await call(path, "lasting~post~delete", "POST", **{OVERRIDE: "DELETE"})).code
    assert ["DELETE by a wrapped handler" if path == "/Plain" else "DELETE by alice"] == RAN


@pytest.mark.parametrize("path", [f"/{kind.__name__}" for kind in KINDS if kind is not Initialized])
@pytest.mark.gen_test
async def test_the_method_of_the_request_needs_its_scopes_too(path: str, call: Callable[..., Any]) -> None:
    assert 403 == (await call(path, "lasting~delete", "POST", **{OVERRIDE: "DELETE"})).code
    assert 401 == (await call(path, None, "POST", **{OVERRIDE: "DELETE"})).code
    assert [] == RAN


@EACH_KIND
@pytest.mark.parametrize("method", ["delete", "TRACE", "finish", "run", "__init__", ""])
@pytest.mark.gen_test
async def test_a_method_that_no_client_may_send_gives_405(path: str, method: str, call: Callable[..., Any]) -> None:
    response = await call(path, "lasting~post~delete", "POST", **{OVERRIDE: method})
    assert (405, "method_not_allowed") == (response.code, json.loads(response.body)["error"])
    assert [] == RAN


@pytest.mark.parametrize(("scopes", "status"), [("head", 403), ("get", 403), ("get~head", 200)])
@pytest.mark.gen_test
async def test_head_and_get_are_different_methods(scopes: str, status: int, call: Callable[..., Any]) -> None:
    assert status == (await call("/WithoutSuper", f"lasting~{scopes}", "GET", **{OVERRIDE: "HEAD"})).code


@pytest.mark.parametrize("path", ["/Streamed", "/StreamedAsynchronously"])
@pytest.mark.gen_test
async def test_a_streamed_body_cannot_change_the_method_unchecked(
    path: str, http_client: AsyncHTTPClient, base_url: str
) -> None:
    for scopes, method, status in [
        ("post", "POST", 200),
        ("post", "DELETE", 403),
        ("post~delete", "DELETE", 200),
        ("post~delete", "finish", 405),
    ]:
        headers = {"Authorization": f"Bearer lasting~{scopes}"}
        response = await http_client.fetch(
            base_url + path, method="POST", body=method, headers=headers, raise_error=False
        )
        assert status == response.code
    assert ["POST by alice", "DELETE by alice"] == RAN


@pytest.mark.gen_test
async def test_a_client_that_leaves_in_the_middle_of_a_streamed_body_ends_the_request(
    http_port: int, app: ResourceServerApplication, http_server: Any
) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", http_port)
    writer.write(
        b"POST /Streamed HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\nAuthorization: Bearer lasting~post\r\n\r\nPO"
    )
    while not app._in_flight:  # noqa: ASYNC110  # the application has no event for it
        await asyncio.sleep(0.001)
    writer.close()
    assert await app.finish_requests(within=5)
    assert [] == RAN


@pytest.mark.parametrize(
    ("token", "method", "status", "user"),
    [
        (None, "GET", 200, None),
        ("lasting", "GET", 200, None),
        ("bad", "GET", 200, None),
        (None, "PUT", 200, None),
        ("lasting", "PUT", 200, "alice"),
        ("bad", "PUT", 401, None),
        (None, "DELETE", 401, None),
        ("lasting", "DELETE", 403, None),
        ("lasting~delete", "DELETE", 200, "alice"),
        ("unknown", "DELETE", 503, None),
    ],
)
@pytest.mark.gen_test
async def test_a_public_request_becomes_an_authenticated_one(
    token: str | None, method: str, status: int, user: str | None, call: Callable[..., Any]
) -> None:
    response = await call("/Mixed", token, "GET", **{OVERRIDE: method})
    assert status == response.code
    if status == 200:
        assert {"user": user} == json.loads(response.body)


@pytest.mark.gen_test
async def test_a_link_of_another_site_cannot_become_an_unsafe_method(call: Callable[..., Any]) -> None:
    cookie = {"Cookie": "__Host-access_token=lasting~delete"}
    assert 403 == (await call("/Mixed", None, "GET", **cookie, **{OVERRIDE: "DELETE"})).code
    own = {"Sec-Fetch-Site": "same-origin"}
    assert 200 == (await call("/Mixed", None, "GET", **cookie, **own, **{OVERRIDE: "DELETE"})).code


@pytest.mark.gen_test
async def test_authorize_is_called_for_the_method_that_runs(call: Callable[..., Any]) -> None:
    assert 200 == (await call("/Admins", "lasting", "POST", **{OVERRIDE: "PUT"})).code
    assert 403 == (await call("/Admins", "lasting", "POST", **{OVERRIDE: "DELETE"})).code
    assert ["PUT by alice"] == RAN


@pytest.mark.parametrize(("scopes", "status"), [("post", 403), ("post~delete", 200)])
@pytest.mark.gen_test
async def test_the_token_of_a_form_counts_for_the_method_that_runs(
    scopes: str, status: int, http_client: AsyncHTTPClient, base_url: str
) -> None:
    response = await http_client.fetch(
        f"{base_url}/Forms",
        method="POST",
        body=f"access_token=lasting~{scopes}",
        headers={OVERRIDE: "DELETE"},
        raise_error=False,
    )
    assert status == response.code


HANDSHAKE = {
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version": "13",
}


@pytest.mark.parametrize(
    ("scopes", "headers", "status"),
    [
        ("post~get", {}, 426),
        ("post", HANDSHAKE, 403),
        ("post~get", HANDSHAKE | {"Origin": "https://evil.example"}, 403),
    ],
)
@pytest.mark.gen_test
async def test_a_request_that_becomes_a_handshake_is_checked_as_one(
    scopes: str, headers: dict[str, str], status: int, call: Callable[..., Any]
) -> None:
    assert status == (await call("/Socket", f"lasting~{scopes}", "POST", **headers, **{OVERRIDE: "GET"})).code


@pytest.mark.gen_test
async def test_a_method_is_authorized_until_it_no_longer_changes(call: Callable[..., Any]) -> None:
    assert 403 == (await call("/Renaming", "lasting~post~put", "POST")).code
    assert [] == RAN
    assert 200 == (await call("/Renaming", "lasting~post~put~delete", "POST")).code
    assert ["DELETE"] == RAN


@pytest.mark.gen_test
async def test_a_method_is_not_authorized_after_the_response(call: Callable[..., Any]) -> None:
    assert b"ended" == (await call("/Ended", "lasting")).body


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.gen_test
async def test_nothing_runs_after_a_response_of_authorize(method: str, call: Callable[..., Any]) -> None:
    for _ in range(2):  # validated, then cached
        response = await call("/Finished", "lasting", method)
        assert (202, b"by authorize", "private") == (
            response.code,
            response.body,
            response.headers["Cache-Control"],
        )
    assert [] == RAN


@pytest.mark.parametrize(
    ("path", "steps"),
    [
        ("/ProtectedBase", ["base", "redirect=True"]),
        ("/API", ["api", "base", "redirect=False"]),
        ("/Redirecting", ["redirect=True"]),
        ("/APIOfOthers", ["api", "redirect=False"]),
        ("/CallsPrepareItself", ["redirect=False"]),
    ],
)
@pytest.mark.gen_test
async def test_a_prepare_with_parameters_gets_its_arguments(
    path: str, steps: list[str], call: Callable[..., Any]
) -> None:
    for token in (None, "bad"):
        assert 401 == (await call(path, token)).code
    assert [] == RAN
    for _ in range(2):  # validated, then cached
        assert 200 == (await call(path, "lasting")).code
    assert steps * 2 == RAN


@pytest.mark.gen_test
async def test_a_prepare_that_is_called_with_arguments_passes_them_on(
    call: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    execute = RequestHandler._execute

    async def with_arguments(self: Any, *args: Any, **kwargs: Any) -> None:
        if isinstance(self, API):
            prepare = self.prepare
            vars(self)["prepare"] = lambda: prepare(steps=("called",))
        await execute(self, *args, **kwargs)

    monkeypatch.setattr(RequestHandler, "_execute", with_arguments)
    for _ in range(2):  # validated, then cached
        assert 200 == (await call("/API", "lasting")).code
    assert ["called", "api", "base", "redirect=False"] * 2 == RAN


@pytest.mark.parametrize(("token", "ran"), [("lasting", ["prepare", "on_connection_close", "get"]), ("bad", [])])
@pytest.mark.gen_test
async def test_a_handler_learns_after_its_prepare_that_the_client_left_during_the_validation(
    token: str,
    ran: list[str],
    http_port: int,
    app: ResourceServerApplication,
    http_server: Any,
    validator: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    closed = asyncio.Event()
    validate = validator.validate

    async def wait(presented: Any) -> Any:
        await asyncio.wait_for(closed.wait(), 5)
        return await validate(presented)

    monkeypatch.setattr(validator, "validate", wait)
    monkeypatch.setattr(RequestHandler, "on_connection_close", lambda _self: closed.set())
    _, writer = await asyncio.open_connection("127.0.0.1", http_port)
    writer.write(f"GET /Disconnected HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\n\r\n".encode())
    while not app._in_flight:  # noqa: ASYNC110  # the application has no event for it
        await asyncio.sleep(0.001)
    writer.close()
    assert await app.finish_requests(within=5)
    assert closed.is_set()
    assert ran == RAN


@pytest.mark.gen_test
async def test_on_finish_does_not_run_without_prepare(call: Callable[..., Any]) -> None:
    assert 202 == (await call("/Finished", "lasting")).code
    assert [] == RAN
