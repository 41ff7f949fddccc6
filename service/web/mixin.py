"""Protects a Tornado handler: judged before its own code runs, refused in one way."""

from __future__ import annotations

import functools
import logging
import uuid
from collections.abc import Awaitable, Callable, Generator
from dataclasses import dataclass
from types import TracebackType
from typing import Any, ClassVar

import tornado.web

from service.authenticator import Authenticator, Authenticators
from service.errors import IssuerUnavailable, MissingToken, ServiceError, TokenError
from service.tokens.credentials import Credentials
from service.tokens.principal import Principal
from service.web.bearer import read_credentials
from service.web.challenge import Refusal, describe_status, refusal_for
from service.web.cors import CrossOriginPolicy, is_preflight
from service.web.policy import METHODS, Policy, ScopesAttribute

__all__ = ["BearerAuthMixin", "Protection"]

_logger = logging.getLogger(__name__)

Prepare = Callable[[Any], Awaitable[None] | None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Protection:
    """What every protected handler of one application shares; it stands in the application's settings."""

    SETTING: ClassVar[str] = "resource_server"

    authenticators: Authenticators
    cors: CrossOriginPolicy
    realm: str


class _Nothing(Awaitable[None]):
    """An awaitable that is done: ``await super().prepare()`` works, and so does leaving out the ``await``."""

    def __await__(self) -> Generator[Any, Any, None]:
        return
        yield


_NOTHING = _Nothing()


def _judge_first(prepare: Prepare) -> Prepare:
    """Return a ``prepare`` that judges the request before the given one runs, once a request."""

    @functools.wraps(prepare)
    def judging(self: BearerAuthMixin) -> Awaitable[None] | None:
        if self._judged:
            return prepare(self) or _NOTHING
        judgement = self._judge()
        if judgement is None:
            return None if self._finished else prepare(self)
        return _then(judgement, functools.partial(prepare, self))

    vars(judging)["judges_first"] = True
    return judging


async def _then(judgement: Awaitable[None], prepare: Callable[[], Awaitable[None] | None]) -> None:
    await judgement
    result = prepare()
    if result is not None:
        await result


class BearerAuthMixin(tornado.web.RequestHandler):
    """Protects a handler, by standing before Tornado's class among its bases.

    Nothing of the handler runs before the request is judged: a ``prepare`` of its own is called
    afterwards, with :attr:`principal` at hand, whether or not it calls the one above it.

    Attributes:
        public: True lets anybody in, and looks at no token.
        scopes: The scopes that are needed; text, list, or a mapping from method to one of these.
        validation: The kind of validation that judges the token here, such as ``introspection`` where a revoked
            token must not get in; left out, the settings say.
    """

    public: ClassVar[bool] = False
    scopes: ClassVar[ScopesAttribute] = ()
    validation: ClassVar[str] = ""
    policy: ClassVar[Policy] = Policy()

    _principal: Principal | None = None
    _judged: bool = False

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Read the policy, so that a mistake in it stops the program, and guard the handler's own ``prepare``."""
        super().__init_subclass__(**kwargs)
        try:
            cls.policy = Policy.read(public=cls.public, scopes=cls.scopes, validation=cls.validation)
        except (TypeError, ValueError) as exc:
            raise type(exc)(f"{cls.__qualname__}: {exc}") from None
        if not getattr(cls.prepare, "judges_first", False):
            # An own `prepare` that forgets to call the one above must not open the handler to everybody.
            cls.prepare = _judge_first(cls.prepare)  # type: ignore[method-assign]  # that is the point

    @property
    def principal(self) -> Principal:
        """Who the request's token speaks for.

        Raises:
            RuntimeError: The handler is public, so nobody was asked for a token.
        """
        if self._principal is None:
            raise RuntimeError(f"{type(self).__qualname__} is public: no token was looked at, and nobody is known")
        return self._principal

    def get_current_user(self) -> Principal | None:
        """Return the principal for Tornado's own ``current_user``, or None on a public handler."""
        return self._principal

    @_judge_first
    def prepare(self) -> Awaitable[None] | None:
        """Judge the request, then prepare what the class behind this one prepares."""
        return super().prepare()

    def clear(self) -> None:
        """Start an answer, with what lets a browser read it even when it is a refusal."""
        super().clear()
        self.set_header("X-Content-Type-Options", "nosniff")
        for name, value in self._protection.cors.headers_for(self.request.headers.get("Origin")).items():
            self.set_header(name, value)

    def send_error(self, status_code: int = 500, **kwargs: Any) -> None:
        """Give a refusal its status, wherever in the handler it was raised."""
        refusal = self._refusal(status_code, kwargs)
        super().send_error(refusal.status, **(kwargs | {"refusal": refusal}))

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Write a refusal; every one of this service leaves here."""
        refusal = kwargs.get("refusal") or self._refusal(status_code, kwargs)
        for name, value in refusal.headers.items():
            self.set_header(name, value)
        if status_code == 405:
            self.set_header("Allow", ", ".join(self._methods()))
        self.set_header("Cache-Control", "no-store")
        body = {"error": refusal.error, "error_description": refusal.description}
        if status_code >= 500 and status_code != 503:
            body["id"] = self._failure_id
        self.finish(body)

    def log_exception(
        self, typ: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None
    ) -> None:
        """Log a refusal as one line, and a mistake of ours with its stack, without the query and without headers."""
        where = f"{self.request.method} {self.request.path}"
        if isinstance(value, ServiceError | tornado.web.HTTPError):
            # At this level even for an issuer's trouble: that is one warning where it begins, not one for each request.
            _logger.info("refused %s: %s", where, value)
        else:
            _logger.error("failed %s: id %s", where, self._failure_id, exc_info=(typ, value, tb))  # type: ignore[arg-type]  # Tornado passes sys.exc_info()

    @property
    def _protection(self) -> Protection:
        try:
            protection: Protection = self.settings[Protection.SETTING]
        except KeyError:
            raise RuntimeError("protected handlers are mounted with service.make_app(settings, routes=…)") from None
        return protection

    @functools.cached_property
    def _failure_id(self) -> str:
        """What the client can quote and the log can be searched for."""
        return uuid.uuid4().hex[:16]

    def _judge(self) -> Awaitable[None] | None:
        """Let the request pass, answer it, or raise why it is refused."""
        self._judged = True
        if is_preflight(self.request.method, self.request.headers):
            self._answer_preflight()
            return None
        if self.policy.public:
            return None
        credentials = read_credentials(self.request.headers)
        if credentials is None:
            raise MissingToken
        authenticator = self._protection.authenticators.judging_by(self.policy.validation)
        principal = authenticator.recall(credentials)
        if principal is None:
            return self._authenticate(authenticator, credentials)
        self._admit(principal)
        return None

    async def _authenticate(self, authenticator: Authenticator, credentials: Credentials) -> None:
        self._admit(await authenticator.authenticate(credentials))

    def _admit(self, principal: Principal) -> None:
        """Let a known caller pass if the policy of the method does."""
        self.policy.check(principal, self.request.method or "")
        self._principal = principal

    def _answer_preflight(self) -> None:
        headers = self._protection.cors.preflight_headers_for(self.request.headers, self._methods())
        for name, value in headers.items():
            self.set_header(name, value)
        self.clear_header("Access-Control-Expose-Headers")
        self.set_status(204)
        self.finish()

    def _refusal(self, status_code: int, kwargs: dict[str, Any]) -> Refusal:
        error = kwargs.get("exc_info", (None, None, None))[1]
        if isinstance(error, TokenError | IssuerUnavailable):
            return refusal_for(error, realm=self._protection.realm)
        return describe_status(status_code)

    def _methods(self) -> list[str]:
        """Return the methods that this handler has, other than Tornado's own refusals."""
        refused, own = tornado.web.RequestHandler, type(self)
        return [method for method in METHODS if getattr(own, method.lower()) is not getattr(refused, method.lower())]
