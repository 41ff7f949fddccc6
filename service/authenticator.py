"""Authenticates requests: turns credentials into a principal by means of the validators."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

from service.binding import BindingCheck
from service.caches.deny_list import DenyList
from service.caches.tokens import ValidatedTokenCache
from service.errors import InvalidToken, Reason, RetryLater, SettingsError
from service.instrumentation import Observers
from service.tokens.binding.confirmation import CONFIRMATION
from service.tokens.credentials import Credentials
from service.tokens.presented import MAX_TOKEN_SIZE, PresentedToken
from service.tokens.principal import Principal
from service.tracing.current import current_request
from service.validators.base import Validator


class Authenticator:
    """Authenticates credentials with the first validator that does not return None.

    Args:
        validators: The validators, in the order in which to call them.
        token_cache: The cache in which validators store validated tokens.
        deny_list: The deny list, which is checked after validation.
        binding: Checks that the sender of a bound token holds its key.
        max_token_size: Characters.
        observers: Receive each validation of a token that is not cached.

    Raises:
        SettingsError: There is no validator.
    """

    def __init__(
        self,
        validators: Sequence[Validator],
        *,
        token_cache: ValidatedTokenCache,
        deny_list: DenyList,
        binding: BindingCheck,
        max_token_size: int = MAX_TOKEN_SIZE,
        observers: Observers | None = None,
    ) -> None:
        if not validators:
            raise SettingsError(["validation: there is no validator; configure an issuer"])
        self._validators = tuple(validators)
        self._validators_by_issuer, self._validators_of_any_jwt = _by_issuer(validators)
        self._token_cache = token_cache
        self._deny_list = deny_list
        self._binding = binding
        self._requires_proofs = binding.requires_proofs
        self._max_token_size = max_token_size
        self._observers = observers or Observers()
        deny_list.on_change(token_cache.clear)

    @property
    def token_cache(self) -> ValidatedTokenCache:
        """The cache of validated tokens."""
        return self._token_cache

    def get_cached(self, credentials: Credentials) -> Principal | None:
        """Return the cached principal, or None if :meth:`authenticate` is needed; awaits nothing.

        Raises:
            InvalidToken: The principal is cached, and on the deny list.
        """
        if not self._deny_list.fresh:
            return None
        principal = self._token_cache.get(credentials.token)
        if principal is not None:
            if self._needs_proof(principal, credentials):
                return None
            self._deny_list.check(principal)
        return principal

    async def authenticate(self, credentials: Credentials, *, peer: str | None = None) -> Principal:
        """Return the principal of the credentials; to be called after :meth:`get_cached` has returned None.

        Nothing else returns the principal of a bound token, so no caller can forget to check its proof.

        Args:
            peer: The address of the client, whose introspection requests are limited; None for no limit.

        Raises:
            InvalidToken: A validator rejects the token, its issuer is unknown, or it is on the deny list.
            InvalidProof: The token is bound to a key, of which the request has no valid proof.
            IssuerUnavailable: The token cannot be validated now.
            TooManyRequests: The client's address has caused too many introspection requests.
        """
        principal = await self._validate(credentials.token, peer=peer)
        if self._needs_proof(principal, credentials):
            await self._binding.check(principal, credentials)
        return principal

    def is_known(self, token: str) -> bool:
        """Return whether a token that was authenticated before needs no further validation; awaits nothing.

        Raises:
            InvalidToken: It is on the deny list.
        """
        principal = self._token_cache.get(token) if self._deny_list.fresh else None
        if principal is not None:
            self._deny_list.check(principal)
        return principal is not None

    async def revalidate(self, token: str) -> Principal:
        """Validate the token of an open connection again, whose proof was checked when the connection was opened.

        Raises:
            InvalidToken: As for :meth:`authenticate`.
            IssuerUnavailable: The token cannot be validated now.
        """
        return await self._validate(token, peer=None)

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

    def _needs_proof(self, principal: Principal, credentials: Credentials) -> bool:
        """Return whether the binding has to be checked, which is not so for nearly every bearer token."""
        return CONFIRMATION in principal.claims or credentials.possession is not None or self._requires_proofs

    async def _validate(self, text: str, *, peer: str | None) -> Principal:
        """Return the principal of a token that is on no deny list; its sender may be a thief."""
        if not self._deny_list.fresh:
            await self._deny_list.refresh()
        principal = self._token_cache.get(text)
        if principal is None:
            principal = await self._call_validators(PresentedToken.read(text, max_size=self._max_token_size, peer=peer))
        self._deny_list.check(principal)
        return principal

    async def _call_validators(self, token: PresentedToken) -> Principal:
        validators, has_receivers = self._validators, bool(self._observers.receivers)
        if token.jws is not None:
            validators = self._validators_by_issuer.get(token.unverified_issuer, self._validators_of_any_jwt)
        for validator in validators:
            if (current := current_request.get()) is not None:
                current.validator = validator
            principal = await (self._report(validator, token) if has_receivers else validator.validate(token))
            if principal is not None:
                return principal
        error = _unknown_issuer(token)
        self._observers.on_validation(validator="", issuer="", outcome="rejected", reason=error.reason, seconds=0.0)
        raise error

    async def _report(self, validator: Validator, token: PresentedToken) -> Principal | None:
        """Call a validator, and report how the validation has ended, unless the token is of another issuer."""
        started_at, outcome, reason = time.perf_counter(), "", ""
        try:
            principal = await validator.validate(token)
            outcome = "" if principal is None else "accepted"
        except InvalidToken as exc:
            outcome, reason = "rejected", exc.reason
            raise
        except RetryLater as exc:
            outcome, reason = "unavailable", exc.reason
            raise
        finally:
            if outcome:
                self._observers.on_validation(
                    validator=type(validator).__name__,
                    issuer=_jwt_issuer(validator) or "",
                    outcome=outcome,
                    reason=reason,
                    seconds=time.perf_counter() - started_at,
                )
        return principal


def _unknown_issuer(token: PresentedToken) -> InvalidToken:
    """Return the error for a token that no validator accepts."""
    if token.jws is None:
        return InvalidToken(Reason.MALFORMED_TOKEN, token.parse_error)
    return InvalidToken(Reason.UNKNOWN_ISSUER, f"found {token.unverified_issuer!r}"[:200], claim="iss")


def _by_issuer(
    validators: Sequence[Validator],
) -> tuple[Mapping[str | None, tuple[Validator, ...]], tuple[Validator, ...]]:
    """Return the validators to call for the JWTs of each issuer, and those to call for any other JWT.

    A validator with the attribute ``jwt_issuer`` returns None for the JWTs of all other issuers, so it is not called
    for them: with a thousand issuers, the calls would take longer than the validation.
    """
    of_any = tuple(validator for validator in validators if _jwt_issuer(validator) is None)
    by_issuer: dict[str | None, list[Validator]] = {
        issuer: [] for validator in validators if (issuer := _jwt_issuer(validator)) is not None
    }
    for validator in validators:
        issuer = _jwt_issuer(validator)
        for accepted in by_issuer.values() if issuer is None else (by_issuer[issuer],):
            accepted.append(validator)
    return {issuer: tuple(accepted) for issuer, accepted in by_issuer.items()}, of_any


def _jwt_issuer(validator: Validator) -> str | None:
    return getattr(validator, "jwt_issuer", None)


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

    def caches(self) -> list[ValidatedTokenCache]:
        """Return the caches of validated tokens, one for each kind of validation in use."""
        return [authenticator.token_cache for authenticator in self._built.values()]

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
