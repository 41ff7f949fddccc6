"""Asks who can judge a token, and takes the first verdict."""

from __future__ import annotations

from collections.abc import Sequence

from service.errors import InvalidToken, Reason, SettingsError
from service.tokens.credentials import Credentials
from service.tokens.presented import PresentedToken
from service.tokens.principal import Principal
from service.validators.base import Validator

__all__ = ["Authenticator"]


class Authenticator:
    """Turns credentials into a principal, by asking validators in turn.

    Raises:
        SettingsError: There is no validator, so that every token would be refused, or worse.
    """

    def __init__(self, validators: Sequence[Validator]) -> None:
        if not validators:
            raise SettingsError(["validation: there is nobody to judge a token; configure an issuer"])
        self._validators = tuple(validators)

    async def authenticate(self, credentials: Credentials) -> Principal:
        """Return who the credentials speak for.

        Raises:
            InvalidToken: A validator refused the token, or none of them knows whose it is.
            IssuerUnavailable: The validator that knows cannot tell.
        """
        token = PresentedToken.read(credentials.token)
        for validator in self._validators:
            principal = await validator.validate(token)
            if principal is not None:
                return principal
        if token.jwt is None:
            raise InvalidToken(Reason.MALFORMED, token.defect)
        raise InvalidToken(Reason.UNKNOWN_ISSUER, f"saw {token.jwt.unverified_issuer!r}"[:200], claim="iss")

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
