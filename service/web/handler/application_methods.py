"""The methods of Tornado that an application may have of its own: its login, and checks of other sites' requests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tornado.web

from service.errors import MissingToken
from service.web.credentials.sources import read_credentials
from service.web.handler.csrf import is_own_page
from service.web.handler.inherited_method import is_tornados


class ApplicationMethods(tornado.web.RequestHandler):
    """Lets an application keep its own methods where no token is required."""

    def get_current_user(self) -> Any:
        """Return the principal for Tornado's ``current_user``.

        Returns:
            The principal. Without one, the user of the application's own ``get_current_user`` if the handler is public,
            or if its token is optional and missing; None otherwise.
        """
        handler: Any = self
        requirements, principal = handler._requirements, handler._principal
        if principal is None and (requirements.public or (requirements.optional and handler._is_authentication_done)):
            handler._own_user = super().get_current_user()
            return handler._own_user
        return principal

    def get_login_url(self) -> str:
        """Return the application's login page, to which ``@authenticated`` redirects.

        Raises:
            MissingToken: The application has none, and the token is optional and missing.
            tornado.web.HTTPError: 403, the application has none, and the handler is public and reads no token.
        """
        if "login_url" in self.settings or not is_tornados(super().get_login_url, "get_login_url"):
            return super().get_login_url()
        handler: Any = self
        if handler._is_anonymous:
            raise MissingToken
        raise tornado.web.HTTPError(403, "the application has no login_url, and current_user is not set")

    def check_xsrf_cookie(self) -> None:
        """Apply Tornado's check only to requests without a token, which no other site can send in a header.

        :func:`service.web.handler.csrf.check_same_site` checks requests with a token in a cookie.
        """
        handler: Any = self
        requirements = handler._requirements
        if requirements.public or (
            requirements.optional and not read_credentials(self.request, handler._token_sources)
        ):
            super().check_xsrf_cookie()

    def check_trusted_origin(self, origin: str) -> bool:
        """Let Tornado's ``cross_origin_protection`` trust the listed origins, ours, and those of the application."""
        handler: Any = self
        is_listed = handler._cors.lists(origin) or origin in self.settings.get("trusted_origins", ())
        if is_listed or is_own_page(origin, self.request, handler._context.resource):
            return True
        inherited: Callable[[str], bool] | None = getattr(super(), "check_trusted_origin", None)  # since Tornado 6.6
        return inherited is not None and inherited(origin)
