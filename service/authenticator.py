"""Asks who can judge a token, and takes the first verdict."""

from __future__ import annotations

from collections.abc import Sequence

from service.caches.verdicts import Verdicts
from service.errors import InvalidToken, Reason, SettingsError
from service.tokens.credentials import Credentials
from service.tokens.presented import MAX_TOKEN_SIZE, PresentedToken
from service.tokens.principal import Principal
from service.validators.base import Validator

__all__ = ["Authenticator"]


class Authenticator:
    """Turns credentials into a principal, by asking validators in turn.

    Args:
        validators: The first that knows a token decides about it.
        verdicts: Where validators remember tokens they found good.
        max_token_size: Characters.

    Raises:
        SettingsError: There is no validator, so that every token would be refused, or worse.
    """

    def __init__(
        self, validators: Sequence[Validator], *, verdicts: Verdicts, max_token_size: int = MAX_TOKEN_SIZE
    ) -> None:
        if not validators:
            raise SettingsError(["validation: there is nobody to judge a token; configure an issuer"])
        self._validators = tuple(validators)
        self._verdicts = verdicts
        self._max_token_size = max_token_size

    def recall(self, credentials: Credentials) -> Principal | None:
        """Return who the credentials speak for where that is known already; awaits nothing."""
        return self._verdicts.recall(credentials.token)

    async def authenticate(self, credentials: Credentials) -> Principal:
        """Return who the credentials speak for.

        Raises:
            InvalidToken: A validator refused the token, or none of them knows whose it is.
            IssuerUnavailable: The validator that knows cannot tell.
        """
        token = PresentedToken.read(credentials.token, max_size=self._max_token_size)
        for validator in self._validators:
            principal = await validator.validate(token)
            if principal is not None:
                return principal
        if token.jws is None:
            raise InvalidToken(Reason.MALFORMED, token.defect)
        raise InvalidToken(Reason.UNKNOWN_ISSUER, f"saw {token.unverified_issuer!r}"[:200], claim="iss")

    async def ready(self) -> None:
        """Return when every issuer's tokens could be judged.

        Raises:
            IssuerUnavailable: Some could not; the detail says why.
        """
        for validator in self._validators:
            await validator.ready()

    async def close(self) -> None:
        """Let every validator give back what it holds."""
        for validator in self._validators:
            await validator.close()
