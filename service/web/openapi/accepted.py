"""The kinds of access tokens that an application accepts, as far as its clients have to know them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from service.binding import REQUIRED
from service.settings.program import Settings
from service.web.credentials.client_certificate import certificate_source
from service.web.policy.requirements import Requirements
from service.web.responses.challenge import ChallengeSchemes


@dataclass(frozen=True, kw_only=True, slots=True)
class AcceptedTokens:
    """The accepted issuers, and how their tokens may be bound to a key.

    Args:
        modes: The issuers with their mode of DPoP: ``off``, ``allowed`` or ``required``.
        proof_algorithms: The accepted algorithms of DPoP proofs.
        reads_certificates: Whether tokens may be bound to client certificates.
    """

    modes: Mapping[str, str] = field(default_factory=dict)
    proof_algorithms: tuple[str, ...] = ()
    reads_certificates: bool = False

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Return what the settings accept."""
        return cls(
            modes={issuer.issuer: issuer.dpop for issuer in settings.trusted_issuers},
            proof_algorithms=settings.dpop_algorithms,
            reads_certificates=certificate_source(settings) is not None,
        )

    def schemes_for(self, requirements: Requirements) -> ChallengeSchemes:
        """Return the schemes that a method accepts; the mode of its handler replaces those of the issuers."""
        modes = self.modes.values() if requirements.dpop is None else [requirements.dpop]
        return ChallengeSchemes.of(modes, self.proof_algorithms)

    def bearer_issuers(self, requirements: Requirements) -> list[int]:
        """Return the numbers of the issuers, from 0, whose bearer tokens a method accepts."""
        return [number for number, mode in enumerate(self.modes.values()) if (requirements.dpop or mode) != REQUIRED]
