"""Protects a Tornado handler: judged before its own code runs, refused in one way."""

from __future__ import annotations

from collections.abc import Awaitable, Iterable, Mapping
from typing import Any, ClassVar

from tornado.websocket import WebSocketHandler

from service.errors import MissingToken
from service.tokens.principal import Principal
from service.web.credentials.header import read_header
from service.web.credentials.sources import TokenSource, parse_sources, read_credentials, source_functions
from service.web.handler.csrf import check_same_site
from service.web.handler.prepare import judge_first
from service.web.handler.token_lifetime import LastingHandler
from service.web.handler.websocket import guard_socket, read_offered
from service.web.policy.attribute_names import reject_reserved_names
from service.web.policy.openapi_attribute import check_openapi_attribute
from service.web.policy.policy import Policy
from service.web.policy.scopes import AnyOf, ScopesAttribute
from service.web.responses.challenge import parse_challenges
from service.web.responses.cors import CrossOriginPolicy, is_preflight
from service.web.responses.methods import handler_methods


class BearerAuthMixin(LastingHandler):
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
        token_sources: Where a token is looked for, of ``header``, ``form``, ``query`` and ``cookie``.
        token_cookie: The cookie that holds it, where that is one of them.
        further_challenges: What stands beside ours for clients without a good token, such as ``Basic realm="old"``
            on a handler whose token is optional and whose own ``prepare`` knows passwords.
        sources: The names in ``token_sources``, read; not for setting.
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

    token_sources: ClassVar[str | Iterable[str]] = "header"  # noqa: S105  # a place
    token_cookie: ClassVar[str] = "__Host-access_token"  # noqa: S105  # a name

    further_challenges: ClassVar[str | Iterable[str]] = ()

    sources: ClassVar[tuple[str, ...]] = ("header",)
    _source: ClassVar[tuple[TokenSource]] = (read_header,)  # a function that stood here alone would become a method
    _judged: bool = False
    _answers_preflights: ClassVar[bool] = True

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Read the policy, so that a mistake in it stops the program, and guard the handler's own ``prepare``."""
        super().__init_subclass__(**kwargs)
        try:
            reject_reserved_names(cls, base=BearerAuthMixin)
            cls.policy = Policy.read(cls, base=BearerAuthMixin)
            cls._own_cors = _read_cors(cls.cors_origins)
            cls.sources = parse_sources(cls.token_sources, cookie=cls.token_cookie)
            cls._further_challenges = parse_challenges(cls.further_challenges)
            check_openapi_attribute(cls.openapi, cls.SUPPORTED_METHODS)
        except (TypeError, ValueError) as exc:
            raise type(exc)(f"{cls.__qualname__}: {exc}") from None
        is_socket = issubclass(cls, WebSocketHandler)
        places = [*source_functions(cls.sources, cookie=cls.token_cookie), *([read_offered] if is_socket else [])]
        cls._source = (read_credentials(places),)
        if is_socket:
            guard_socket(cls)
        if not getattr(cls.prepare, "judges_first", False):
            # An own `prepare` that forgets to call the one above must not open the handler to everybody.
            cls.prepare = judge_first(cls.prepare)  # type: ignore[method-assign]  # that is the point

    def authorize(self, principal: Principal) -> Awaitable[bool] | bool:  # noqa: ARG002  # for those who override it
        """Return whether a principal may do what it asks for; asked last, and only where there is a token."""
        return True

    def check_xsrf_cookie(self) -> None:
        """Leave Tornado's check to requests that no token comes with: no other page can send one in a header.

        Of a token in a cookie, which it can, :func:`service.web.handler.csrf.check_same_site` asks who sent it.
        """
        requirements = self.policy.of(self.request.method)
        (source,) = self._source
        if requirements.public or (requirements.optional and source(self.request) is None):
            super().check_xsrf_cookie()

    def check_trusted_origin(self, origin: str) -> bool:
        """Let Tornado's ``cross_origin_protection``, where an application has it on, trust the pages that may call."""
        return self._cors.lists(origin) or origin in self.settings.get("trusted_origins", ())

    @judge_first
    def prepare(self) -> Awaitable[None] | None:
        """Judge the request, then prepare what the class behind this one prepares."""
        return super().prepare()

    def _authenticate_request(self) -> Awaitable[None] | None:
        """Let the request pass, answer it, or raise why it is refused."""
        self._judged = True
        if self._answers_preflights and is_preflight(self.request.method, self.request.headers):
            self._answer_preflight()
            return None
        requirements = self.policy.of(self.request.method)
        if requirements.public:
            return None
        (source,) = self._source
        credentials = source(self.request)
        if credentials is None:
            if requirements.optional:
                return None
            raise MissingToken
        if credentials.place != "header":
            self._mind_place(credentials.place)
        self._credentials = credentials
        return self._judge_credentials(credentials)

    def _mind_place(self, place: str) -> None:
        """Make up for what a header is better at: no page can send it for another, and no cache keeps its answer."""
        if place == "cookie":
            check_same_site(self.request, cors=self._cors, resource=self._context.resource)
        if place == "query":
            self.set_header("Cache-Control", "private")  # RFC 6750 section 2.3

    def _answer_preflight(self) -> None:
        headers = self._cors.preflight_headers_for(self.request.headers, handler_methods(type(self)))
        for name, value in headers.items():
            self.set_header(name, value)
        self.clear_header("Access-Control-Expose-Headers")
        self.set_status(204)
        self.finish()


def _read_cors(origins: Iterable[str] | None) -> CrossOriginPolicy | None:
    return None if origins is None else CrossOriginPolicy([origins] if isinstance(origins, str) else origins)
