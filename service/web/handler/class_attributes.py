"""The attributes that an author sets on a handler class, read and checked when the class is made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

import tornado.web
from tornado.websocket import WebSocketHandler

from service.web.credentials.sources import (
    TokenSource,
    credential_fields,
    parse_sources,
    read_header,
    source_functions,
)
from service.web.credentials.subprotocol import read_subprotocol
from service.web.policy.assigned import reject_assignments
from service.web.policy.attribute_names import CLASS_ONLY, STATED, reject_reserved_names
from service.web.policy.attribute_values import copy_values
from service.web.policy.inherited import reject_lost_requirements, reject_unstated_requirements
from service.web.policy.openapi_attribute import check_openapi_attribute
from service.web.policy.policy import Policy
from service.web.policy.scopes import AnyOf, ScopesAttribute
from service.web.responses.challenge import parse_challenges
from service.web.responses.cors import CrossOriginPolicy
from service.web.responses.methods import handler_methods


class HandlerAttributes(tornado.web.RequestHandler):
    """The settings of one handler class.

    Attributes:
        public: True serves every request without reading a token.
        optional: True serves requests without a token as anonymous; a bad token is still rejected.
        scopes: The required scopes; a string, a list, ``AnyOf(…)``, or a mapping from method to one of these.
        groups: The required groups of the user; a name, a list, or ``AnyOf(…)``.
        roles: The required roles of the user or the client; a name, a list, or ``AnyOf(…)``.
        claims: The required value of each claim, by its name or path; of an item if the claim is a list; ``AnyOf(…)``
            for several.
        allowed_clients: The client IDs that may call; empty for all.
        acr_values: The accepted authentication context classes; at Okta a stronger one is accepted too.
        max_age: The maximum age of the user's sign-in, in seconds.
        validation: The kind of validation that this handler requires, such as ``introspection`` to reject revoked
            tokens at once; empty for the kind in the settings.
        dpop: Whether tokens may be bound by DPoP: ``off``, ``allowed``, or ``required``, which rejects bearer tokens;
            None as in the settings.
        dpop_nonce: Whether a DPoP proof needs a nonce, which is good for this handler only; None as in the settings.
        cors_origins: The origins whose pages may read the responses; None for those of the application.
        token_sources: The places that may hold the token, of ``header``, ``form``, ``query``, ``cookie``,
            ``google-iap``, ``cloudflare-access``, ``aws-alb`` and ``oauth2-proxy``.
        token_cookie: The name of the cookie.
        further_challenges: Challenges of other schemes in a 401, such as ``Basic realm="old"`` on a handler whose
            token is optional and whose ``prepare`` checks passwords.
        openapi: Fields to add to the OpenAPI description of each method: ``{"GET": {"responses": …}}``.
    """

    public: ClassVar[bool] = False
    optional: ClassVar[bool] = False
    scopes: ClassVar[ScopesAttribute | Mapping[str, ScopesAttribute]] = ()
    groups: ClassVar[str | Iterable[str] | AnyOf] = ()
    roles: ClassVar[str | Iterable[str] | AnyOf] = ()
    claims: ClassVar[Mapping[str, object]] = {}
    allowed_clients: ClassVar[str | Iterable[str]] = ()
    acr_values: ClassVar[str | Iterable[str]] = ()
    max_age: ClassVar[int | None] = None
    validation: ClassVar[str] = ""
    dpop: ClassVar[str | None] = None
    dpop_nonce: ClassVar[bool | None] = None
    cors_origins: ClassVar[Iterable[str] | None] = None
    token_sources: ClassVar[str | Iterable[str]] = "header"  # noqa: S105  # the name of a place
    token_cookie: ClassVar[str] = "__Host-access_token"  # noqa: S105  # the name of a cookie
    further_challenges: ClassVar[str | Iterable[str]] = ()
    openapi: ClassVar[Mapping[str, Mapping[str, Any]]] = {}

    policy: ClassVar[Policy] = Policy()
    sources: ClassVar[tuple[str, ...]] = ("header",)
    """The names in ``token_sources``; read-only."""
    _values_read: ClassVar[tuple[object, ...]] = ()
    """The values of the attributes when the class was made."""
    _stated_requirements: ClassVar[object] = None
    """The arguments of ``protected(…)``, in a class that it has made."""
    _class_only: ClassVar[frozenset[str]] = CLASS_ONLY
    """The names that only the class may set; other code may use those that were stated in ``protected(…)``."""
    _keeps_public: ClassVar[bool] = True
    """Whether ``Cache-Control: public`` is kept; not in a handler whose author may not know that it is protected."""
    _token_sources: ClassVar[tuple[TokenSource, ...]] = (read_header,)
    _own_cors: ClassVar[CrossOriginPolicy | None] = None
    _further_challenges: ClassVar[tuple[str, ...]] = ()
    _sends_error_header: ClassVar[bool] = False
    _is_websocket: ClassVar[bool] = False
    _head_as_get: ClassVar[bool] = False
    """Whether ``get`` responds to HEAD, whatever the setting of the application."""
    _original_method: str | None = None
    """The method that the client sent, if the handler authorizes it as another one."""
    _vary: ClassVar[str] = "Authorization"
    """The request fields that may hold the token, for ``Vary``."""

    def _proof_target(self) -> tuple[str, str | None] | None:
        """Return the method and the URL that a DPoP proof must name, if they are not those of the request."""
        return None

    @classmethod
    def _serves_head(cls, *, by_default: bool) -> bool:
        """Return whether ``get`` responds to HEAD: there is no ``head``, and the handler is no WebSocket.

        Args:
            by_default: The setting of the application.
        """
        methods = handler_methods(cls)
        is_enabled = by_default or cls._head_as_get
        return is_enabled and "GET" in methods and "HEAD" not in methods and not cls._is_websocket

    @classmethod
    def _read_attributes(cls, *, base: type) -> None:
        """Read the attributes of a subclass of ``base``.

        Raises:
            TypeError: An attribute has a type without a meaning, or would have no effect.
            ValueError: An attribute has an impossible value, or two attributes contradict each other.
        """
        try:
            if STATED in vars(cls):
                reject_unstated_requirements(cls, base=base, stated=CLASS_ONLY - cls._class_only)
            else:
                reject_reserved_names(cls, base=base)
                reject_lost_requirements(cls, base=base)
                reject_assignments(cls, base=base)
            cls.policy = Policy.read(cls, base=base)
            cls._own_cors = _parse_cors(cls.cors_origins)
            cls.sources = parse_sources(cls.token_sources, cookie=cls.token_cookie)
            cls._further_challenges = parse_challenges(cls.further_challenges)
            cls._vary = credential_fields(cls.sources, other_schemes=bool(cls._further_challenges))
            check_openapi_attribute(cls.openapi, cls.SUPPORTED_METHODS)
        except (TypeError, ValueError) as exc:
            raise type(exc)(f"{cls.__qualname__}: {exc}") from None
        cls._values_read = copy_values(cls)
        cls._is_websocket = issubclass(cls, WebSocketHandler)
        functions = source_functions(cls.sources, cookie=cls.token_cookie)
        cls._token_sources = (*functions, read_subprotocol) if cls._is_websocket else functions


def _parse_cors(origins: Iterable[str] | None) -> CrossOriginPolicy | None:
    return None if origins is None else CrossOriginPolicy([origins] if isinstance(origins, str) else origins)
