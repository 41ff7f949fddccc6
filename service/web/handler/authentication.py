"""Has the token of a request judged, and lets its principal pass if the policy of the method does."""

from __future__ import annotations

from collections.abc import Awaitable

import tornado.web

from service.authenticator import Authenticator
from service.errors import MissingToken
from service.tokens.credentials import Credentials
from service.tokens.principal import Principal
from service.web.handler import authorization
from service.web.handler.errors import RefusingHandler


class JudgingHandler(RefusingHandler):
    """Knows who the request's token speaks for, once it was judged."""

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
        """JSONResponse Tornado's ``@authenticated``: a client of an API is not sent to a page, but asked for a token.

        Raises:
            MissingToken: There could be a token, and is none.
            tornado.web.HTTPError: 403, no token could make anybody known.
        """
        if self._is_nobody:
            raise MissingToken
        raise tornado.web.HTTPError(403, "nobody is the current user, and no token would change that")

    @property
    def _authenticator(self) -> Authenticator:
        """Who judges the tokens of this method: as the settings say, or as the handler insists on."""
        return self._context.authenticators.for_validation(self.policy.of(self.request.method).validation)

    def _judge_credentials(self, credentials: Credentials) -> Awaitable[None] | None:
        """Let whoever the credentials speak for pass; where they are known already, there is nothing to await."""
        authenticator = self._authenticator
        principal = authenticator.get_cached(credentials)
        return self._authenticate(authenticator, credentials) if principal is None else self._admit(principal)

    async def _authenticate(self, authenticator: Authenticator, credentials: Credentials) -> None:
        waiting = self._admit(await authenticator.authenticate(credentials))
        if waiting is not None:
            await waiting

    def _admit(self, principal: Principal) -> Awaitable[None] | None:
        """Let a known caller pass if the policy of the method does, and then the handler's own ``authorize``."""
        context = self._context
        requirements = self.policy.of(self.request.method)
        requirements.check(principal, now=context.clock.now(), matching=context.scope_matching)
        self._speak_for(principal)
        return authorization.ask(self, principal) if self.policy.has_authorize else None

    def _speak_for(self, principal: Principal | None) -> None:
        """Go on for a principal, whom ``current_user`` tells as well, unless the handler has set another one.

        Tornado keeps what it told once.
        """
        self._principal = principal
        kept = vars(self).get("_current_user")
        if kept is None or isinstance(kept, Principal):
            vars(self).pop("_current_user", None)
