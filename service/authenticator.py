"""Asks the validators about a token in turn, and takes the first principal."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from service.caches.deny_list import DenyList
from service.caches.tokens import ValidatedTokenCache
from service.errors import InvalidToken, Reason, SettingsError
from service.tokens.credentials import Credentials
from service.tokens.presented import MAX_TOKEN_SIZE, PresentedToken
from service.tokens.principal import Principal
from service.validators.base import Validator


class Authenticator:
    """Turns credentials into a principal, by asking validators in turn.

    Args:
        validators: The first that knows a token decides about it.
        token_cache: Where validators remember tokens they found good.
        deny_list: Who is turned away whatever the validators say.
        max_token_size: Characters.

    Raises:
        SettingsError: There is no validator, so that every token would be refused, or worse.
    """

    def __init__(
        self,
        validators: Sequence[Validator],
        *,
        token_cache: ValidatedTokenCache,
        deny_list: DenyList,
        max_token_size: int = MAX_TOKEN_SIZE,
    ) -> None:
        if not validators:
            raise SettingsError(["validation: there is nobody to judge a token; configure an issuer"])
        self._validators = tuple(validators)
        self._token_cache = token_cache
        self._deny_list = deny_list
        self._max_token_size = max_token_size
        deny_list.on_change(token_cache.clear)

    def get_cached(self, credentials: Credentials) -> Principal | None:
        """Return who the credentials speak for where that is known already; awaits nothing.

        Raises:
            InvalidToken: It is known, and denied.
        """
        if not self._deny_list.fresh:
            return None
        principal = self._token_cache.get(credentials.token)
        if principal is not None:
            self._deny_list.check(principal)
        return principal

    async def authenticate(self, credentials: Credentials) -> Principal:
        """Return who the credentials speak for that :meth:`get_cached` did not know.

        Raises:
            InvalidToken: A validator refused the token, none of them knows whose it is, or it is denied here.
            IssuerUnavailable: The validator that knows cannot tell.
        """
        token = PresentedToken.read(credentials.token, max_size=self._max_token_size)
        principal = None
        if not self._deny_list.fresh:
            await self._deny_list.refresh()
            principal = self.get_cached(credentials)  # which it could not say before
        if principal is None:
            principal = await self._validate(token)
            self._deny_list.check(principal)
        return principal

    async def check_ready(self) -> None:
        """Return when every issuer's tokens could be judged.

        Raises:
            IssuerUnavailable: Some could not; the detail says why.
        """
        for validator in self._validators:
            await validator.check_ready()

    async def close(self) -> None:
        """Let every validator give back what it holds."""
        for validator in self._validators:
            await validator.close()

    async def _validate(self, token: PresentedToken) -> Principal:
        for validator in self._validators:
            principal = await validator.validate(token)
            if principal is not None:
                return principal
        if token.jws is None:
            raise InvalidToken(Reason.MALFORMED_TOKEN, token.parse_error)
        raise InvalidToken(Reason.UNKNOWN_ISSUER, f"saw {token.unverified_issuer!r}"[:200], claim="iss")


class Authenticators:
    """The authenticators of one program: the usual one, and one for each way of judging that a handler insists on.

    Args:
        build: Returns the authenticator that judges in one way; "" means as the settings say for each issuer.
    """

    def __init__(self, build: Callable[[str], Authenticator]) -> None:
        self._build = build
        self._built: dict[str, Authenticator] = {}

    def for_validation(self, validation: str) -> Authenticator:
        """Return the authenticator for a kind of validation, the same one each time.

        Raises:
            SettingsError: There is no such kind, or an issuer's tokens cannot be judged by it.
        """
        if validation not in self._built:
            self._built[validation] = self._build(validation)
        return self._built[validation]

    async def check_ready(self) -> None:
        """Return when every token could be judged in every way that is in use.

        Raises:
            IssuerUnavailable: Some could not; the detail says why.
        """
        for authenticator in self._built.values():
            await authenticator.check_ready()

    async def close(self) -> None:
        """Let every one give back what it holds."""
        for authenticator in self._built.values():
            await authenticator.close()
