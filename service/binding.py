"""Checks that the sender of a bound token holds its key: DPoP (RFC 9449) and client certificates (RFC 8705)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from service.caches.replays import UsedProofs
from service.caches.shared import SharedCache
from service.clock import Clock
from service.errors import InvalidProof, InvalidToken, NonceRequired, Reason
from service.settings.program import Settings
from service.tokens.binding.confirmation import CONFIRMATION, read_confirmation
from service.tokens.binding.nonces import NonceSource
from service.tokens.binding.possession import Possession
from service.tokens.binding.proofs import DPoPProof, ProofRules, check_proof
from service.tokens.credentials import Credentials
from service.tokens.principal import Principal

OFF, ALLOWED, REQUIRED = DPOP_MODES = ("off", "allowed", "required")
SCHEME = "DPoP"


@dataclass(frozen=True, kw_only=True, slots=True)
class BindingRules:
    """How the tokens of an issuer may be bound.

    Args:
        dpop: ``off`` (bound tokens are rejected), ``allowed``, or ``required`` (unbound ones are rejected).
        needs_nonce: Whether a proof needs a nonce of this service (RFC 9449 section 9).
        proof: What a proof has to satisfy.
    """

    dpop: str = ALLOWED
    needs_nonce: bool = False
    proof: ProofRules = field(default_factory=ProofRules)


def binding_check(settings: Settings, cache: SharedCache, *, clock: Clock) -> BindingCheck:
    """Return the check with the rules of the settings."""
    proof = ProofRules(
        algorithms=settings.dpop_algorithms, max_age=settings.dpop_max_age, max_future=settings.dpop_max_future
    )
    return BindingCheck(
        cache,
        clock=clock,
        default=BindingRules(dpop=settings.dpop, needs_nonce=settings.dpop_nonce, proof=proof),
        rules={
            issuer.profile.token_issuer: BindingRules(
                dpop=issuer.dpop, needs_nonce=issuer.requires_dpop_nonce, proof=proof
            )
            for issuer in settings.trusted_issuers
        },
        nonce_secrets=[secret.get_secret_value().encode() for secret in settings.dpop_nonce_secrets],
        requires_cache=settings.dpop_requires_cache,
    )


class BindingCheck:
    """Checks the proofs of the requests of one application.

    Args:
        cache: The cache that processes share; it records used proofs, and its key makes the nonces by default.
        default: The rules of an issuer that has none of its own, such as that of a validator of the application.
        rules: The rules by issuer.
        nonce_secrets: The secrets of the nonces: the current one, and those that it has replaced.
        requires_cache: Whether a proof is rejected while the shared cache is unavailable.
    """

    def __init__(
        self,
        cache: SharedCache,
        *,
        clock: Clock,
        default: BindingRules = BindingRules(),  # it is frozen
        rules: Mapping[str, BindingRules] = MappingProxyType({}),
        nonce_secrets: Sequence[bytes] = (),
        requires_cache: bool = False,
    ) -> None:
        self._rules = rules
        self._default = default
        all_rules = (default, *rules.values())
        period = max(one.proof.max_age + one.proof.max_future for one in all_rules)
        self._used = UsedProofs(cache, clock=clock, period=period, requires_cache=requires_cache)
        self._nonces = NonceSource(nonce_secrets or [cache.derive_key("DPoP nonces")])
        self._clock = clock
        self.missing_nonces = 0
        """Proofs so far that were rejected because they had no current nonce."""
        self.requires_proofs = any(one.dpop == REQUIRED for one in all_rules)
        """Whether even the bearer tokens of an issuer have to be checked."""

    @property
    def used(self) -> UsedProofs:
        """The record of used proofs."""
        return self._used

    async def check(self, principal: Principal, credentials: Credentials) -> None:
        """Check a validated token against the scheme and the proofs with which it was sent.

        Raises:
            InvalidToken: The token is bound and was sent as a bearer token or without its certificate, or it is not
                bound and has to be.
            InvalidProof: The proof is missing, invalid, or was used before, or it lacks a current nonce.
            RetryLater: The proof cannot be recorded now.
        """
        rules, possession = self._rules_for(principal), credentials.possession
        is_dpop = credentials.scheme == SCHEME
        mode = rules.dpop if possession is None or possession.dpop is None else possession.dpop
        if CONFIRMATION not in principal.claims:
            if is_dpop:
                raise InvalidToken(Reason.NOT_BOUND, "sent with the scheme DPoP", claim=CONFIRMATION)
            if mode == REQUIRED:
                raise InvalidToken(Reason.NOT_BOUND, "dpop is required here", claim=CONFIRMATION)
            return
        confirmation = read_confirmation(principal.claims)
        if confirmation.x5t_s256 is not None and (
            possession is None or possession.certificate != confirmation.x5t_s256
        ):
            detail = "it is bound to a client certificate, and not to the one of this connection"
            raise InvalidToken(Reason.SENDER_CONSTRAINED, detail, claim=CONFIRMATION)
        if confirmation.jkt is None:
            if is_dpop or mode == REQUIRED:
                raise InvalidToken(Reason.NOT_BOUND, "it is bound to a certificate only", claim=CONFIRMATION)
            return
        if not is_dpop or possession is None or mode == OFF:
            # A thief of the token would send it like this.
            raise InvalidToken(Reason.SENDER_CONSTRAINED, "sent without a proof of its key", claim=CONFIRMATION)
        proof = self._check_proof(credentials, possession, rules, confirmation.jkt)
        self._check_nonce(proof, possession, rules, principal.issuer)
        if not await self._used.add(proof.thumbprint, proof.jti):
            raise InvalidProof(Reason.PROOF_REPLAYED, "its jti was used before", claim="jti")

    def _rules_for(self, principal: Principal) -> BindingRules:
        return self._rules.get(principal.issuer, self._default)

    def _check_proof(
        self, credentials: Credentials, possession: Possession, rules: BindingRules, thumbprint: str
    ) -> DPoPProof:
        if len(possession.proofs) != 1:
            reason = Reason.SEVERAL_PROOFS if possession.proofs else Reason.MISSING_PROOF
            raise InvalidProof(reason, f"{len(possession.proofs)} DPoP fields, expected one")
        if possession.url is None:
            detail = "the URL of the request as the client has sent it is unknown; set public_url or trusted_proxies"
            raise InvalidProof(Reason.PROOF_URL, detail, claim="htu")
        return check_proof(
            possession.proofs[0],
            rules=rules.proof,
            method=possession.method,
            url=possession.url,
            token=credentials.token,
            thumbprint=thumbprint,
            now=self._clock.now(),
        )

    def _check_nonce(self, proof: DPoPProof, possession: Possession, rules: BindingRules, issuer: str) -> None:
        """Check the nonce, if one is required; the next one is sent before this one ends (RFC 9449 section 9)."""
        if not (rules.needs_nonce if possession.needs_nonce is None else possession.needs_nonce):
            return
        scope, now = f"{issuer}\0{possession.scope}", self._clock.now()
        current = self._nonces.current(scope, now=now)
        if proof.nonce is None or not self._nonces.accepts(proof.nonce, scope, now=now):
            self.missing_nonces += 1
            detail = "no nonce" if proof.nonce is None else "the nonce is not current, or for another handler or issuer"
            raise NonceRequired(detail, nonce=current)
        if proof.nonce != current:
            possession.next_nonce = current
