"""The principal of a request, and the application's own users where no token is required."""

from __future__ import annotations

from typing import Any

import tornado.web

from service.errors import MissingToken
from service.tokens.principal import Principal
from service.web.handler.class_attributes import HandlerAttributes
from service.web.handler.inherited_method import is_tornados
from service.web.policy.requirements import Requirements

_TOKEN_REQUIRED = Requirements()


class CurrentUser(HandlerAttributes):
    """Sets ``principal`` and ``current_user``; an application keeps its own login for requests without a token."""

    _principal: Principal | None = None
    _is_authentication_done: bool = False
    _is_preflight: bool = False
    """Whether the handler's own ``options`` responds to a preflight, which has no token."""
    _own_user: Any = None
    """The user that the application's ``get_current_user`` has returned."""

    @property
    def principal(self) -> Principal:
        """The authenticated user and client.

        Raises:
            MissingToken: The token is optional and the request has none; or the request is a preflight.
            RuntimeError: The handler is public, so no token is read.
        """
        if self._principal is None:
            if self._is_anonymous:
                raise MissingToken
            raise RuntimeError(f"{type(self).__qualname__} is public: it reads no token, so there is no principal")
        return self._principal

    def get_current_user(self) -> Any:
        """Return the principal for Tornado's ``current_user``.

        Returns:
            The principal. Without one, the user of the application's own ``get_current_user`` if the handler is public,
            or if its token is optional and missing; None otherwise.
        """
        requirements = self._requirements
        if self._principal is None and (
            requirements.public or (requirements.optional and self._is_authentication_done)
        ):
            self._own_user = super().get_current_user()
            return self._own_user
        return self._principal

    def get_login_url(self) -> str:
        """Return the application's login page, to which ``@authenticated`` redirects.

        Raises:
            MissingToken: The application has none, and the token is optional and missing.
            tornado.web.HTTPError: 403, the application has none, and the handler is public and reads no token.
        """
        if "login_url" in self.settings or not is_tornados(super().get_login_url, "get_login_url"):
            return super().get_login_url()
        if self._is_anonymous:
            raise MissingToken
        raise tornado.web.HTTPError(403, "the application has no login_url, and current_user is not set")

    def _set_principal(self, principal: Principal | None) -> None:
        """Set the principal and drop Tornado's cached ``current_user``, unless the handler has set another one."""
        self._principal = principal
        cached = vars(self).get("_current_user")
        if cached is None or isinstance(cached, Principal) or cached is self._own_user:
            vars(self).pop("_current_user", None)

    @property
    def _requirements(self) -> Requirements:
        """The requirements of the current method, which ``prepare`` may change; by default, a token."""
        return self.policy.requirements.get(self.request.method or "", _TOKEN_REQUIRED)

    @property
    def _is_anonymous(self) -> bool:
        return self._principal is None and (self._requirements.optional or self._is_preflight)
