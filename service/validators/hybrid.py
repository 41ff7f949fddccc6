"""Validates JWTs locally and by introspection, so that a revoked one is rejected before it expires."""

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
    """Validates the JWTs of one issuer by their signature and by an introspection response.

    Args:
        jwt: The validator for signature and claims.
        introspection: The validator that introspects.
        token_cache: The cache of validated tokens.
        accept_when_introspection_fails: Whether to accept a token while introspection fails; an attacker can
            then use a revoked token during an outage.
    """

    def __init__(
        self,
        *,
        jwt: JWTValidator,
        introspection: IntrospectionValidator,
        token_cache: ValidatedTokenCache,
        accept_when_introspection_fails: bool,
    ) -> None:
        self.jwt_issuer = jwt.jwt_issuer
        self._jwt = jwt
        self._introspection = introspection
        self._token_cache = token_cache
        self._accept_when_introspection_fails = accept_when_introspection_fails

    async def validate(self, token: PresentedToken) -> Principal | None:
        """Return the principal of a valid token, or None if the token is of another issuer.

        The principal has the token's own claims. A token that fails local validation is not introspected.
        """
        local = await self._jwt.validate_uncached(token)
        if local is None:
            return None
        try:
            remote = await self._introspection.validate_uncached(token)
        except IssuerUnavailable:
            if not self._accept_when_introspection_fails:
                raise
            return local.principal  # not cached, so that the next request tries introspection again
        assert remote is not None  # noqa: S101  # both validators have the same issuer
        both = ValidatedToken(local.principal, lambda: local.is_current() and remote.is_current())
        return self._token_cache.put(token.text, both)

    async def check_ready(self) -> None:
        """Return if tokens can be validated.

        Raises:
            IssuerUnavailable: They cannot; the detail says why.
        """
        await self._jwt.check_ready()
        if not self._accept_when_introspection_fails:
            await self._introspection.check_ready()

    async def close(self) -> None:
        """Cancel pending requests to the issuer."""
        await self._jwt.close()
        await self._introspection.close()


def build(issuer: TrustedIssuer, context: ValidatorContext) -> HybridValidator:
    """Return the validator for one issuer.

    Raises:
        SettingsError: The settings have no client credentials for this issuer.
    """
    return HybridValidator(
        jwt=jwt.build(issuer, context),
        introspection=introspection.build(issuer, context),
        token_cache=context.token_cache,
        accept_when_introspection_fails=issuer.accept_when_introspection_fails,
    )
