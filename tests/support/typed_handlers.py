"""Handlers with the habits of applications; mypy and pyright check their types, and a test sends them requests."""

from __future__ import annotations

from types import TracebackType
from typing import Any

import tornado.web
from tornado.websocket import WebSocketHandler

from service import AnyOf, BearerAuthMixin, Principal, policy, protected, public

RAN: list[str] = []


class User:
    """A user of the application's own login."""

    def __init__(self, name: str) -> None:
        self.name = name


class Site(tornado.web.RequestHandler):
    """The base class of an application that was there before."""

    async def prepare(self, *, redirect: bool = True) -> None:
        self.redirects = redirect

    def get_current_user(self) -> User | None:
        name = self.get_cookie("user")
        return User(name) if name else None

    def get_login_url(self) -> str:
        return "/sign-in"

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        self.finish({"code": status_code, "detail": kwargs.get("detail", "")})

    def log_exception(
        self, typ: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None
    ) -> None:
        super().log_exception(typ, value, tb)

    def on_finish(self) -> None:
        RAN.append(f"redirects={self.redirects}")

    def options(self, *_args: str) -> None:
        self.set_header("Access-Control-Allow-Origin", "https://page.example")
        self.set_status(204)


class Synchronous(tornado.web.RequestHandler):
    """Another base class, with a ``prepare`` that is no coroutine."""

    def prepare(self) -> None:
        self.session = "open"


class Items(BearerAuthMixin, Site):
    """States every kind of requirement."""

    scopes = {"GET": "items:read", "POST": ["items:read", "items:write"], "PUT": AnyOf("items:write", "admin")}
    groups = AnyOf("Admins", ["Everyone", "Staff"])
    claims = {"tenant": AnyOf("a", "b")}
    allowed_clients = ["0oaservice0000000001"]
    acr_values = "phr"
    max_age = 300
    cors_origins = ["https://app.example"]
    token_sources = ["header", "cookie"]
    token_cookie = "__Host-token"
    further_challenges = 'Basic realm="old"'
    openapi = {"GET": {"summary": "All items"}}

    def get(self) -> None:
        self.write({"subject": self.principal.subject})

    async def authorize(self, principal: Principal) -> bool:
        return principal.subject is not None


class Orders(BearerAuthMixin, Site):
    """Passes arguments to the ``prepare`` of its base class."""

    async def prepare(self, *, redirect: bool = False) -> None:
        await super().prepare(redirect=redirect)

    def get(self, order: str) -> None:
        self.write({"order": order, "subject": self.principal.subject})

    @policy(scopes="orders:write")
    async def post(self, order: str) -> None:
        self.send_error(422, detail=f"order {order} has no lines")

    def authorize(self, principal: Principal) -> bool:
        return principal.subject is not None


class MixedInLast(Site, BearerAuthMixin):
    """Has the mixin last."""

    def get(self) -> None:
        self.write({})


class Page(BearerAuthMixin, Site):
    """Has the application's user, the principal, or neither."""

    optional = True

    @tornado.web.authenticated
    def get(self) -> None:
        user: User | Principal = self.current_user
        self.write({"user": user.name if isinstance(user, User) else user.subject})


class Prepared(BearerAuthMixin, Synchronous):
    """Inherits a ``prepare`` that is no coroutine."""

    public = True

    def get(self) -> None:
        self.write({"session": self.session})


class Overriding(BearerAuthMixin, Synchronous):
    """Overrides what the mixin defines, and calls it."""

    def prepare(self) -> None:
        super().prepare()

    def get_current_user(self) -> User:
        return User(self.principal.subject or "")

    def get_login_url(self) -> str:
        return super().get_login_url()

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        super().write_error(status_code, **kwargs)

    def log_exception(
        self, typ: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None
    ) -> None:
        super().log_exception(typ, value, tb)

    def on_connection_close(self) -> None:
        super().on_connection_close()

    def get(self) -> None:
        self.write({"user": self.current_user.name})


class Awaiting(BearerAuthMixin, tornado.web.RequestHandler):
    """Awaits the ``prepare`` of the mixin alone."""

    async def prepare(self) -> None:
        await super().prepare()

    async def get(self) -> None:
        self.write({"subject": self.principal.subject})


class Socket(BearerAuthMixin, WebSocketHandler):
    """A WebSocket with the callbacks of Tornado."""

    async def open(self, *args: str, **kwargs: str) -> None:
        await self.write_message(f"hello {self.principal.subject}")

    async def on_message(self, message: str | bytes) -> None:
        await self.reauthenticate(str(message))

    def on_close(self) -> None:
        RAN.append(f"closed {self.close_code}")

    def check_origin(self, origin: str) -> bool:
        return super().check_origin(origin)

    def select_subprotocol(self, subprotocols: list[str]) -> str | None:
        return next(iter(subprotocols), None)


@protected(scopes="items:read", token_sources=["header"])
class Decorated(Site):
    """Keeps its type, so that its own methods are known."""

    def describe(self) -> str:
        return self.get_login_url()


@public()
class Notice(tornado.web.RequestHandler):
    """Is marked public by a decorator."""

    def initialize(self, text: str = "") -> None:
        self.text = text

    def get(self) -> None:
        self.write(self.text)


def describe(handler: Decorated) -> str:
    return handler.describe()


WrappedSite = protected(Site, scopes="items:read")
Moved = public(tornado.web.RedirectHandler)

ROUTES: list[Any] = [
    (r"/items", Items),
    (r"/orders/(.*)", Orders),
    (r"/last", MixedInLast),
    (r"/page", Page),
    (r"/prepared", Prepared),
    (r"/overriding", Overriding),
    (r"/awaiting", Awaiting),
    (r"/socket", Socket),
    (r"/site", WrappedSite),
    (r"/decorated", Decorated),
    (r"/notice", Notice, {"text": "closed"}),
    (r"/moved", Moved, {"url": "/page"}),
]
