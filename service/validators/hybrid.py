"""Judges a JWT here, and asks its issuer every so often, so that a revoked one dies early."""

from __future__ import annotations

from service.caches.tokens import ValidatedToken, ValidatedTokenCache
from service.errors import IssuerUnavailable
from service.settings.issuers import TrustedIssuer
from service.tokens.presented import PresentedToken
from service.tokens.principal import Principal
from service.validators import introspection, jwt
from service.validators.base import ValidatorContext
from service.validators.introspection import IntrospectionValidator
from service.validators.jwt import JWTValidator


class HybridValidator:
    """Judges the JWTs of one issuer twice: by their signature, and by what the issuer said at most a lifetime ago.

    Args:
        accept_when_introspection_fails: Whether a token is accepted whose issuer cannot be asked about it;
            then an attacker with a stolen token profits from every outage.
    """

    def __init__(
        self,
        *,
        jwt: JWTValidator,
        introspection: IntrospectionValidator,
        token_cache: ValidatedTokenCache,
        accept_when_introspection_fails: bool,
    ) -> None:
        self._jwt = jwt
        self._introspection = introspection
        self._token_cache = token_cache
        self._accept_when_introspection_fails = accept_when_introspection_fails

    async def validate(self, token: PresentedToken) -> Principal | None:
        """Return who the token speaks for by its own claims; the issuer is asked about no token that fails here."""
        local = await self._jwt.validate_uncached(token)
        if local is None:
            return None
        try:
            remote = await self._introspection.validate_uncached(token)
        except IssuerUnavailable:
            if not self._accept_when_introspection_fails:
                raise
            return local.principal  # remembered by nobody, so that the issuer is asked again
        assert remote is not None  # noqa: S101  # both look at the same issuer's name
        both = ValidatedToken(local.principal, lambda: local.is_current() and remote.is_current())
        return self._token_cache.put(token.text, both)

    async def check_ready(self) -> None:
        """Return when a token could be judged."""
        await self._jwt.check_ready()
        if not self._accept_when_introspection_fails:
            await self._introspection.check_ready()

    async def close(self) -> None:
        """Abandon what is being asked."""
        await self._jwt.close()
        await self._introspection.close()


def build(issuer: TrustedIssuer, context: ValidatorContext) -> HybridValidator:
    """Return the validator for one issuer.

    Raises:
        SettingsError: We have no credentials at the issuer.
    """
    return HybridValidator(
        jwt=jwt.build(issuer, context),
        introspection=introspection.build(issuer, context),
        token_cache=context.token_cache,
        accept_when_introspection_fails=issuer.accept_when_introspection_fails,
    )
