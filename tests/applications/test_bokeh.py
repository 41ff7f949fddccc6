"""The server of Bokeh; the lines that protect it are those of docs/how-to/existing-app.rst."""

from __future__ import annotations

import base64
import json
import re
from typing import Any

import pytest
from bokeh.document import Document
from bokeh.models import Slider
from bokeh.protocol import Protocol
from bokeh.protocol.receiver import Receiver
from bokeh.server.server import Server
from bokeh.util.token import get_token_payload
from foreign_applications import ServedApplication
from tornado.httpclient import HTTPClientError
from tornado.ioloop import IOLoop

from service import ResourceServerApplication, Settings, protect, protected

COOKIE = "__Host-access_token"


def make_protected(sliders: Any) -> tuple[Server, ResourceServerApplication]:
    server = Server({"/sliders": sliders}, port=0, exclude_headers=["Authorization", "Cookie"])
    requirements = protected(scopes="charts:use", token_sources=("header", "cookie"))
    guard = protect(server._tornado, Settings(), wrap=requirements)
    server.start()
    return server, guard


pytestmark = pytest.mark.filterwarnings("default")  # those of other packages are no errors


def sliders(document: Document) -> None:
    """Add a slider that follows another one."""
    left, right = Slider(name="left", start=0, end=10, value=1), Slider(name="right", start=0, end=10, value=1)
    left.on_change("value", lambda _name, _old, new: right.update(value=new))
    document.add_root(left)
    document.add_root(right)


@pytest.fixture
def server(serve: Any, io_loop: IOLoop) -> Any:
    server, guard = make_protected(sliders)
    unprotected = Server({"/sliders": sliders}, port=0)
    unprotected.start()
    yield serve(
        server._tornado,
        guard,
        scope="charts:use",
        unprotected=unprotected._tornado,
        url=f"http://localhost:{server.port}",
    )
    for each in (server, unprotected):
        io_loop.run_sync(each.stop_async)


@pytest.fixture
def served(server: ServedApplication) -> ServedApplication:
    return server


def session_of(page: bytes) -> str:
    """Return the token of Bokeh's own session, which a page sends when it opens its WebSocket."""
    found = re.search(rb'"token":"([^"]+)"', page)
    assert found is not None
    return found[1].decode()


@pytest.mark.gen_test
async def test_each_route_rejects_a_request_without_a_token(served: ServedApplication) -> None:
    assert {"/sliders", "/sliders/ws", "/sliders/metadata", "/static/", "/"} <= served.paths.keys()
    await served.check_rejections()


@pytest.mark.gen_test
async def test_a_good_token_gets_the_pages_of_the_application(served: ServedApplication) -> None:
    replaced = await served.check_pages(varying={"/sliders"})
    assert "access_denied" == replaced["/static/"]
    response = await served.call("/sliders/autoload.js")
    assert "No bokeh-autoload-element query parameter" == json.loads(response.body)["error_description"]


@pytest.mark.gen_test
async def test_a_page_does_not_contain_the_access_token(served: ServedApplication) -> None:
    response = await served.call("/sliders", Cookie="theme=dark")
    payload = get_token_payload(session_of(response.body))
    assert served.url.endswith(payload["headers"]["Host"].partition(":")[2])
    assert not {"authorization", "cookie"} & {name.lower() for name in payload["headers"]}


@pytest.mark.parametrize("place", ["header", "cookie", "subprotocol"])
@pytest.mark.gen_test
async def test_a_document_is_synchronised(place: str, served: ServedApplication, open_socket: Any) -> None:
    session = session_of((await served.call("/sliders")).body)
    token = served.authorization.removeprefix("Bearer ")
    offered = base64.urlsafe_b64encode(token.encode()).decode().rstrip("=")
    fields, further = {
        "header": ({"Authorization": f"Bearer {token}"}, []),
        "cookie": ({"Cookie": f"{COOKIE}={token}", "Origin": served.url}, []),
        "subprotocol": ({}, [f"base64url.bearer.authorization.{offered}"]),
    }[place]
    socket = await open_socket(f"{served.url}/sliders/ws", "bokeh", session, *further, **fields)
    assert "bokeh" == socket.selected_subprotocol
    protocol, receiver = Protocol(), Receiver(Protocol())

    async def receive() -> Any:
        message = None
        while message is None:
            message = await receiver.consume(await socket.read_message())
        return message

    async def send(message: Any) -> None:
        for part in (message.header_json, message.metadata_json, message.content_json):
            await socket.write_message(part)

    assert "ACK" == (await receive()).msgtype
    await send(protocol.create("PULL-DOC-REQ"))
    document = Document()
    (await receive()).push_to_document(document)
    changes: list[Any] = []
    document.on_change(changes.append)
    left, right = (document.select_one({"name": name}) for name in ("left", "right"))
    assert isinstance(left, Slider)
    left.value = 7
    await send(protocol.create("PATCH-DOC", changes))
    messages = [await receive(), await receive()]
    assert {"OK", "PATCH-DOC"} == {message.msgtype for message in messages}
    next(message for message in messages if message.msgtype == "PATCH-DOC").apply_to_document(document)
    assert isinstance(right, Slider)
    assert 7 == right.value


@pytest.mark.parametrize(
    ("fields", "status"),
    [({}, 401), ({"Authorization": "Bearer wrong"}, 401), ({"Origin": "https://evil.example"}, 403)],
)
@pytest.mark.gen_test
async def test_a_websocket_is_rejected(
    fields: dict[str, str], status: int, served: ServedApplication, open_socket: Any
) -> None:
    session = session_of((await served.call("/sliders")).body)
    if "Origin" in fields:
        fields = fields | {"Cookie": f"{COOKIE}={served.authorization.removeprefix('Bearer ')}"}
    with pytest.raises(HTTPClientError) as rejection:
        await open_socket(f"{served.url}/sliders/ws", "bokeh", session, **fields)
    assert status == rejection.value.code
