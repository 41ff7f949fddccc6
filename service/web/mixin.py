"""Protects a Tornado handler: judged before its own code runs, refused in one way."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, ClassVar

from tornado.websocket import WebSocketHandler

from service.authenticator import Authenticator
from service.errors import AccessDenied, MissingToken, Reason
from service.tokens.credentials import Credentials
from service.tokens.principal import Principal
from service.web import authorize
from service.web.any_of import AnyOf
from service.web.bearer import check_b64token, read_credentials
from service.web.cors import CrossOriginPolicy, is_preflight
from service.web.methods import methods_of
from service.web.openapi.own_words import check_own_words
from service.web.policy import Policy
from service.web.prepare import judge_first
from service.web.protection import Protection
from service.web.refusing import RefusingHandler
from service.web.scopes import ScopesAttribute
from service.web.token_watch import WatchedToken
from service.web.websocket import end_with_token, guard_socket

__all__ = ["BearerAuthMixin", "Protection"]


class BearerAuthMixin(RefusingHandler):
    """Protects a handler, by standing before Tornado's class among its bases.

    Nothing of the handler runs before the request is judged: a ``prepare`` of its own is called
    afterwards, with :attr:`principal` at hand, whether or not it calls the one above it.

    Attributes:
        public: True lets anybody in, and looks at no token.
        optional: True serves whoever brings no token as nobody; a bad token is refused all the same.
        scopes: The scopes that are needed; text, list, ``AnyOf(…)``, or a mapping from method to one of these.
        groups: The groups that the user must be in; a name, a list, or ``AnyOf(…)``.
        claims: For each claim name the value it must have, or hold if it is a list; ``AnyOf(…)`` for several.
        allowed_clients: The clients that may call.
        acr_values: How the user must have been authenticated; one of these, or at Okta one that is stronger, is enough.
        max_age: Seconds that may have passed since.
        validation: The kind of validation that judges the token here, such as ``introspection`` where a revoked
            token must not get in; left out, the settings say.
        cors_origins: The origins whose pages may read its answers; those of the application when left out.
        openapi: What the description of the API says beside what the code says: ``{"GET": {"responses": …}}``.
    """

    public: ClassVar[bool] = False
    optional: ClassVar[bool] = False
    scopes: ClassVar[ScopesAttribute | Mapping[str, ScopesAttribute]] = ()
    groups: ClassVar[str | Iterable[str] | AnyOf] = ()
    claims: ClassVar[Mapping[str, object]] = {}
    allowed_clients: ClassVar[str | Iterable[str]] = ()
    acr_values: ClassVar[str | Iterable[str]] = ()
    max_age: ClassVar[int | None] = None
    validation: ClassVar[str] = ""
    cors_origins: ClassVar[Iterable[str] | None] = None
    openapi: ClassVar[Mapping[str, Mapping[str, Any]]] = {}

    _read_credentials = staticmethod(read_credentials)
    _watched: tuple[WatchedToken, ...] = ()
    _judged: bool = False

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Read the policy, so that a mistake in it stops the program, and guard the handler's own ``prepare``."""
        super().__init_subclass__(**kwargs)
        try:
            cls.policy = Policy.read(cls, base=BearerAuthMixin)
            cls._own_cors = _read_cors(cls.cors_origins)
            check_own_words(cls.openapi, cls.SUPPORTED_METHODS)
        except (TypeError, ValueError) as exc:
            raise type(exc)(f"{cls.__qualname__}: {exc}") from None
        if issubclass(cls, WebSocketHandler):
            guard_socket(cls)
        if not getattr(cls.prepare, "judges_first", False):
            # An own `prepare` that forgets to call the one above must not open the handler to everybody.
            cls.prepare = judge_first(cls.prepare)  # type: ignore[method-assign]  # that is the point

    @property
    def principal(self) -> Principal:
        """Who the request's token speaks for.

        Raises:
            MissingToken: The token is optional, and there was none; ``current_user`` is None then.
            RuntimeError: The handler is public, so nobody was asked for a token.
        """
        if self._principal is None:
            if self._is_nobody:
                raise MissingToken
            raise RuntimeError(f"{type(self).__qualname__} is public: no token was looked at, and nobody is known")
        return self._principal

    def get_current_user(self) -> Principal | None:
        """Return the principal for Tornado's own ``current_user``, or None where there was no token to look at."""
        return self._principal

    def get_login_url(self) -> str:
        """Answer Tornado's ``@authenticated``: a client of an API is not sent to a page, but asked for a token.

        Raises:
            MissingToken: Always.
        """
        raise MissingToken

    def authorize(self, principal: Principal) -> Awaitable[bool] | bool:  # noqa: ARG002  # for those who override it
        """Return whether a principal may do what it asks for; asked last, and only where there is a token."""
        return True

    def watch_token(self, *, on_end: Callable[[], None] | None = None) -> WatchedToken:
        """Return what tells a handler that answers for long when its token has ended.

        Raises:
            MissingToken: The token is optional, and there was none.
        """
        watched = self._protection.watch.watch(self.principal, on_end=on_end)
        self._watched = (*self._watched, watched)
        return watched

    async def reauthenticate(self, token: str) -> None:
        """Go on with another token of the same user and client, or with the first, which a message brought.

        Raises:
            TokenError: It is refused, or speaks for somebody else; not caught, it closes the socket.
            IssuerUnavailable: Nobody can tell.
        """
        check_b64token(token if isinstance(token, str) else "")  # JSON brings anything, whatever the type here says
        before = self._principal
        after = await self._judge_of_tokens.authenticate(Credentials(scheme="Bearer", token=token))
        if before is not None and not after.is_same_bearer_as(before):
            # What was sent and is remembered belongs to the first one.
            raise AccessDenied(Reason.NOT_AUTHORIZED, "another user or client")
        try:
            waiting = self._admit(after)
            if waiting is not None:
                await waiting
        except BaseException:
            self._principal = before  # a handler that goes on after a refusal goes on as it was
            raise
        for watched in self._watched:
            watched.principal = after
        if before is None and isinstance(self, WebSocketHandler):
            end_with_token(self)

    @judge_first
    def prepare(self) -> Awaitable[None] | None:
        """Judge the request, then prepare what the class behind this one prepares."""
        return super().prepare()

    def _judge(self) -> Awaitable[None] | None:
        """Let the request pass, answer it, or raise why it is refused."""
        self._judged = True
        if is_preflight(self.request.method, self.request.headers):
            self._answer_preflight()
            return None
        demand = self.policy.of(self.request.method)
        if demand.public:
            return None
        credentials = self._read_credentials(self.request.headers)
        if credentials is None:
            if demand.optional:
                return None
            raise MissingToken
        authenticator = self._judge_of_tokens
        principal = authenticator.recall(credentials)
        return self._authenticate(authenticator, credentials) if principal is None else self._admit(principal)

    @property
    def _judge_of_tokens(self) -> Authenticator:
        """Who judges the tokens of this method: as the settings say, or as the handler insists on."""
        return self._protection.authenticators.judging_by(self.policy.of(self.request.method).validation)

    async def _authenticate(self, authenticator: Authenticator, credentials: Credentials) -> None:
        waiting = self._admit(await authenticator.authenticate(credentials))
        if waiting is not None:
            await waiting

    def _admit(self, principal: Principal) -> Awaitable[None] | None:
        """Let a known caller pass if the policy of the method does, and then the handler's own ``authorize``."""
        protection = self._protection
        demand = self.policy.of(self.request.method)
        demand.check(principal, now=protection.clock.now(), matching=protection.scope_matching)
        self._principal = principal
        return authorize.ask(self, principal) if self.policy.asks_handler else None

    def _answer_preflight(self) -> None:
        headers = self._cors.preflight_headers_for(self.request.headers, methods_of(type(self)))
        for name, value in headers.items():
            self.set_header(name, value)
        self.clear_header("Access-Control-Expose-Headers")
        self.set_status(204)
        self.finish()


def _read_cors(origins: Iterable[str] | None) -> CrossOriginPolicy | None:
    return None if origins is None else CrossOriginPolicy([origins] if isinstance(origins, str) else origins)
