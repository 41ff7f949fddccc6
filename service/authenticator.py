"""Authenticates requests: turns credentials into a principal by means of the validators."""

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
    """Authenticates credentials with the first validator that does not return None.

    Args:
        validators: The validators, in the order in which to call them.
        token_cache: The cache in which validators store validated tokens.
        deny_list: The deny list, which is checked after validation.
        max_token_size: Characters.

    Raises:
        SettingsError: There is no validator.
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
            raise SettingsError(["validation: there is no validator; configure an issuer"])
        self._validators = tuple(validators)
        self._token_cache = token_cache
        self._deny_list = deny_list
        self._max_token_size = max_token_size
        deny_list.on_change(token_cache.clear)

    def get_cached(self, credentials: Credentials) -> Principal | None:
        """Return the cached principal, or None if :meth:`authenticate` is needed; awaits nothing.

        Raises:
            InvalidToken: The principal is cached, and on the deny list.
        """
        if not self._deny_list.fresh:
            return None
        principal = self._token_cache.get(credentials.token)
        if principal is not None:
            self._deny_list.check(principal)
        return principal

    async def authenticate(self, credentials: Credentials, *, peer: str | None = None) -> Principal:
        """Return the principal of the credentials; to be called after :meth:`get_cached` has returned None.

        Args:
            peer: The address of the client, whose introspection requests are limited; None for no limit.

        Raises:
            InvalidToken: A validator rejects the token, its issuer is unknown, or it is on the deny list.
            IssuerUnavailable: The token cannot be validated now.
            TooManyRequests: The client's address has caused too many introspection requests.
        """
        token = PresentedToken.read(credentials.token, max_size=self._max_token_size, peer=peer)
        principal = None
        if not self._deny_list.fresh:
            await self._deny_list.refresh()
            principal = self.get_cached(credentials)  # it returns None while the deny list is not fresh
        if principal is None:
            principal = await self._validate(token)
            self._deny_list.check(principal)
        return principal

    async def check_ready(self) -> None:
        """Return if every validator is ready.

        Raises:
            IssuerUnavailable: One is not; the detail says why.
        """
        for validator in self._validators:
            await validator.check_ready()

    async def close(self) -> None:
        """Close every validator."""
        for validator in self._validators:
            await validator.close()

    async def _validate(self, token: PresentedToken) -> Principal:
        for validator in self._validators:
            principal = await validator.validate(token)
            if principal is not None:
                return principal
        if token.jws is None:
            raise InvalidToken(Reason.MALFORMED_TOKEN, token.parse_error)
        raise InvalidToken(Reason.UNKNOWN_ISSUER, f"found {token.unverified_issuer!r}"[:200], claim="iss")


class Authenticators:
    """The authenticators of one application, one for each kind of validation that its handlers use.

    Args:
        build: Builds the authenticator for a kind of validation; "" means the kind in each issuer's settings.
    """

    def __init__(self, build: Callable[[str], Authenticator]) -> None:
        self._build = build
        self._built: dict[str, Authenticator] = {}

    def for_validation(self, validation: str) -> Authenticator:
        """Return the authenticator for a kind of validation, the same one each time.

        Raises:
            SettingsError: The kind is unknown, or an issuer's settings do not allow it.
        """
        if validation not in self._built:
            self._built[validation] = self._build(validation)
        return self._built[validation]

    async def check_ready(self) -> None:
        """Return if every authenticator is ready.

        Raises:
            IssuerUnavailable: One is not; the detail says why.
        """
        for authenticator in self._built.values():
            await authenticator.check_ready()

    async def close(self) -> None:
        """Close every authenticator."""
        for authenticator in self._built.values():
            await authenticator.close()
