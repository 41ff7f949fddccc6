"""Judges a JWT here, and asks its issuer every so often, so that a revoked one dies early."""

from __future__ import annotations

from service.caches.tokens import Verdict, Verdicts
from service.errors import IssuerUnavailable
from service.settings.issuers import TrustedIssuer
from service.tokens.presented import PresentedToken
from service.tokens.principal import Principal
from service.validators import introspection, jwt
from service.validators.base import Toolbox
from service.validators.introspection import IntrospectionValidator
from service.validators.jwt import JWTValidator

__all__ = ["HybridValidator", "build"]


class HybridValidator:
    """Judges the JWTs of one issuer twice: by their signature, and by what the issuer said at most a lifetime ago.

    Args:
        signature_suffices: Whether a token is accepted whose issuer cannot be asked about it;
            then an attacker with a stolen token profits from every outage.
    """

    def __init__(
        self, *, jwt: JWTValidator, introspection: IntrospectionValidator, verdicts: Verdicts, signature_suffices: bool
    ) -> None:
        self._jwt = jwt
        self._introspection = introspection
        self._verdicts = verdicts
        self._signature_suffices = signature_suffices

    async def validate(self, token: PresentedToken) -> Principal | None:
        """Return who the token speaks for by its own claims; the issuer is asked about no token that fails here."""
        local = await self._jwt.judge(token)
        if local is None:
            return None
        try:
            remote = await self._introspection.judge(token)
        except IssuerUnavailable:
            if not self._signature_suffices:
                raise
            return local.principal  # remembered by nobody, so that the issuer is asked again
        assert remote is not None  # noqa: S101  # both look at the same issuer's name
        both = Verdict(local.principal, lambda: local.still_holds() and remote.still_holds())
        return self._verdicts.remember(token.text, both)

    async def ready(self) -> None:
        """Return when a token could be judged."""
        await self._jwt.ready()
        if not self._signature_suffices:
            await self._introspection.ready()

    async def close(self) -> None:
        """Abandon what is being asked."""
        await self._jwt.close()
        await self._introspection.close()


def build(issuer: TrustedIssuer, toolbox: Toolbox) -> HybridValidator:
    """Return the validator for one issuer.

    Raises:
        SettingsError: We have no credentials at the issuer.
    """
    return HybridValidator(
        jwt=jwt.build(issuer, toolbox),
        introspection=introspection.build(issuer, toolbox),
        verdicts=toolbox.verdicts,
        signature_suffices=issuer.signature_suffices,
    )
