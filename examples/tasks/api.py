"""The handlers of the tasks: JSON, attachments, a stream of events, a WebSocket, and a page."""

from __future__ import annotations

import asyncio
import json
import tempfile
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any, cast

import pydantic
import tornado.web
from tasks.store import Store, Task
from tornado.http1connection import HTTP1Connection
from tornado.ioloop import IOLoop
from tornado.iostream import StreamClosedError
from tornado.websocket import WebSocketHandler

from service import BearerAuthMixin, InsufficientScope, Principal


class NewTask(pydantic.BaseModel, extra="forbid"):
    """A task as a client sends it."""

    title: str = pydantic.Field(min_length=1, max_length=200)
    done: bool = False


def owner_of(principal: Principal) -> str:
    """Return whose tasks a token gives access to."""
    if principal.subject is None:
        raise tornado.web.HTTPError(403, reason="tasks belong to users, and this token has no subject")
    return principal.subject


class TaskHandler(BearerAuthMixin, tornado.web.RequestHandler):
    """Accepts a token from programs in the header, and from our own page in a cookie."""

    token_sources = ("header", "cookie")
    token_cookie = "__Host-tasks"

    def initialize(self, store: Store) -> None:
        self.store = store

    @property
    def owner(self) -> str:
        return owner_of(self.principal)

    def new_task(self) -> dict[str, Any]:
        try:
            return NewTask.model_validate_json(self.request.body).model_dump()
        except pydantic.ValidationError as error:
            raise tornado.web.HTTPError(400, reason='expected JSON such as {"title": "Buy milk"}') from error

    def found(self, tasks: list[Task]) -> dict[str, Any]:
        if not tasks:
            raise tornado.web.HTTPError(404, reason="there is no such task")
        return asdict(tasks[0])


class Tasks(TaskHandler):
    """All tasks of the user."""

    scopes = {"GET": "api:read", "POST": "api:write"}

    async def get(self) -> None:
        self.write({"tasks": [asdict(task) for task in await self.store.read(self.owner)]})

    async def post(self) -> None:
        task = await self.store.add(self.owner, **self.new_task())
        self.set_status(201)
        self.set_header("Location", f"/api/tasks/{task.id}")
        self.write(asdict(task))


class OneTask(TaskHandler):
    """One task of the user."""

    scopes = {"GET": "api:read", "PUT": "api:write", "DELETE": "api:write"}

    async def get(self, number: str) -> None:
        self.write(self.found(await self.store.read(self.owner, number)))

    async def put(self, number: str) -> None:
        self.write(self.found(await self.store.replace(self.owner, number, **self.new_task())))

    async def delete(self, number: str) -> None:
        self.found(await self.store.remove(self.owner, number))
        await asyncio.to_thread(self.store.attachment(number).unlink, missing_ok=True)
        self.set_status(204)


@tornado.web.stream_request_body
class Attachment(TaskHandler):
    """The file of a task, which is never in memory as a whole."""

    scopes = {"GET": "api:read", "PUT": "api:write"}
    file: IO[bytes] | None = None

    async def prepare(self) -> None:
        self.found(await self.store.read(self.owner, self.path_args[0]))
        if self.request.method == "PUT":
            connection = cast("HTTP1Connection", self.request.connection)
            connection.set_max_body_size(100 * 1024 * 1024)
            connection.set_body_timeout(600)
            self.file = await asyncio.to_thread(tempfile.NamedTemporaryFile, dir=self.store.folder, delete=False)

    async def data_received(self, chunk: bytes) -> None:
        if self.file:
            await asyncio.to_thread(self.file.write, chunk)

    async def put(self, number: str) -> None:
        file, self.file = self.file, None
        if file:
            await asyncio.to_thread(file.close)
            await asyncio.to_thread(Path(file.name).replace, self.store.attachment(number))
        self.set_status(204)

    async def get(self, number: str) -> None:
        try:
            file = await asyncio.to_thread(self.store.attachment(number).open, "rb")
        except FileNotFoundError as error:
            raise tornado.web.HTTPError(404, reason="the task has no attachment") from error
        self.set_header("Content-Type", "application/octet-stream")
        self.set_header("Content-Disposition", "attachment")
        with file, suppress(StreamClosedError):
            while chunk := await asyncio.to_thread(file.read, 64 * 1024):
                self.write(chunk)
                await self.flush()

    def on_finish(self) -> None:
        self.discard()

    def on_connection_close(self) -> None:
        super().on_connection_close()
        self.discard()

    def discard(self) -> None:
        if self.file:  # the upload was not completed
            IOLoop.current().run_in_executor(None, _remove, self.file)
            self.file = None


def _remove(file: IO[bytes]) -> None:
    file.close()
    Path(file.name).unlink()


class Events(TaskHandler):
    """A stream of events: the tasks now, and after each change."""

    scopes = "api:read"

    async def get(self) -> None:
        changed = asyncio.Event()
        token = self.watch_token(on_end=changed.set, on_stop=changed.set)
        self.set_header("Content-Type", "text/event-stream")
        self.set_header("Cache-Control", "no-store")
        with self.store.watch(self.owner, changed.set), suppress(StreamClosedError):
            while not token.ended.is_set():
                changed.clear()
                tasks = [asdict(task) for task in await self.store.read(self.owner)]
                self.write(f"data: {json.dumps(tasks)}\n\n")
                await self.flush()
                with suppress(TimeoutError):  # an event every 15 seconds keeps the connection open
                    await asyncio.wait_for(changed.wait(), 15)


class Live(BearerAuthMixin, WebSocketHandler):
    """A WebSocket that adds a task for each message, and responds with the task."""

    scopes = "api:read api:write"
    token_sources = ("header", "cookie")
    token_cookie = TaskHandler.token_cookie

    def initialize(self, store: Store) -> None:
        self.store = store

    async def on_message(self, message: str | bytes) -> None:
        try:
            new = NewTask.model_validate_json(message)
        except pydantic.ValidationError:
            self.close(1007, "expected a task as JSON")
        else:
            task = await self.store.add(owner_of(self.principal), **new.model_dump())
            await self.write_message(asdict(task))


class Page(TaskHandler):
    """The page of the user's tasks; a browser without a token is sent to the login."""

    optional = True

    def get_login_url(self) -> str:
        return "/login"

    @tornado.web.authenticated
    async def get(self) -> None:
        if "api:read" not in self.principal.scopes:
            raise InsufficientScope(["api:read"])
        await self.render("page.html", user=self.owner, tasks=await self.store.read(self.owner))
