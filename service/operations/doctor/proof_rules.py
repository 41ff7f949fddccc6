"""The rules for the proof of a bound token, in the order in which the service applies them (RFC 9449 section 4.3)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from service.errors import InvalidProof, InvalidToken, Reason, TokenError
from service.operations.doctor.report import Finding, fail, ok, skipped
from service.settings.program import Settings
from service.tokens.binding.confirmation import CONFIRMATION, Confirmation, read_confirmation
from service.tokens.binding.proofs import ProofRules, check_proof
from service.tokens.principal import Principal

_POSSESSION = "its sender proves that they hold its key"


@dataclass(frozen=True, kw_only=True, slots=True)
class ProofRequest:
    """The request that a proof was made for.

    Args:
        proof: The value of the header field ``DPoP``.
    """

    proof: str = field(repr=False)
    method: str
    url: str


class _ProofRule(NamedTuple):
    description: str
    reasons: frozenset[Reason]
    advice: str
    claims: frozenset[str | None] = frozenset()
    """The claims for which the reason of a malformed proof belongs to this rule; empty for all others."""


_RULES = (
    _ProofRule(
        "the proof is a JWT with a usable public key", frozenset({Reason.PROOF_KEY}), "put the public key into jwk"
    ),
    _ProofRule("its typ is dpop+jwt", frozenset({Reason.PROOF_TYPE}), "set typ to dpop+jwt"),
    _ProofRule(
        "its algorithm is accepted",
        frozenset({Reason.PROOF_ALGORITHM}),
        "use another algorithm, or set dpop_algorithms",
    ),
    _ProofRule("its htm is the method", frozenset({Reason.PROOF_METHOD}), "make a proof for each request"),
    _ProofRule(
        "its htu is the URL",
        frozenset({Reason.PROOF_URL}),
        "use the URL of the request without its query; or set public_url to the address that clients use",
    ),
    _ProofRule(
        "it is recent",
        frozenset({Reason.PROOF_TOO_OLD, Reason.PROOF_IN_FUTURE}),
        "make a proof for each request, and compare the clock of the client with that of the service",
        frozenset({"iat"}),
    ),
    _ProofRule("its jti and nonce are strings", frozenset(), "give each proof a jti", frozenset({"jti", "nonce"})),
    _ProofRule(
        "its ath is the hash of the token", frozenset({Reason.PROOF_TOKEN}), "make the proof for the token that is sent"
    ),
    _ProofRule(
        "its key is that of the token",
        frozenset({Reason.PROOF_KEY_MISMATCH}),
        "sign the proof with the key with which the token was requested",
    ),
    _ProofRule("its signature is valid", frozenset({Reason.PROOF_SIGNATURE}), "sign the proof as its header says"),
)
_LATER = "its nonce and whether it was used before are known only to the running service"


def explain_proof(
    principal: Principal, text: str, request: ProofRequest | None, *, settings: Settings, now: float
) -> tuple[list[Finding], TokenError | None]:
    """Return the findings on the proof of an accepted token, and the error if the service would reject it.

    Args:
        text: The token.
        request: The proof with its request; None if the token is presented alone.
        now: Seconds since the epoch.
    """
    if CONFIRMATION not in principal.claims:
        return _explain_bearer(request)
    confirmation = read_confirmation(principal.claims)
    if confirmation.jkt is None or request is None:
        error = InvalidToken(Reason.SENDER_CONSTRAINED, "sent without a proof of its key", claim=CONFIRMATION)
        accepts_dpop = any(
            issuer.dpop != "off"
            for issuer in settings.trusted_issuers
            if issuer.profile.token_issuer == principal.issuer
        )
        return [fail(_POSSESSION, _describe(confirmation), _advice(confirmation, accepts_dpop=accepts_dpop))], error
    rules = ProofRules(
        algorithms=settings.dpop_algorithms, max_age=settings.dpop_max_age, max_future=settings.dpop_max_future
    )
    try:
        check_proof(
            request.proof,
            rules=rules,
            method=request.method,
            url=request.url,
            token=text,
            thumbprint=confirmation.jkt,
            now=now,
        )
    except InvalidProof as exc:
        return list(_findings(exc)), exc
    return [*_findings(None), skipped(_LATER)], None


def _explain_bearer(request: ProofRequest | None) -> tuple[list[Finding], TokenError | None]:
    if request is None:
        return [], None
    error = InvalidToken(Reason.NOT_BOUND, "sent with the scheme DPoP", claim=CONFIRMATION)
    advice = "send it as: Authorization: Bearer TOKEN; or request a token with a DPoP proof at the token endpoint"
    return [fail("the token is bound to a key", "no cnf", advice)], error


def _findings(error: InvalidProof | None) -> Iterator[Finding]:
    failed = None if error is None else next((rule for rule in _RULES if _concerns(rule, error)), _RULES[0])
    for index, rule in enumerate(_RULES):
        if rule is failed and error is not None:
            yield fail(rule.description, error.detail or str(error.reason), rule.advice)
            yield from (skipped(later.description) for later in _RULES[index + 1 :])
            return
        yield ok(rule.description, "")


def _concerns(rule: _ProofRule, error: InvalidProof) -> bool:
    return error.reason in rule.reasons or (error.reason is Reason.MALFORMED_PROOF and error.claim in rule.claims)


def _describe(confirmation: Confirmation) -> str:
    bound_to = [name for name, value in (("jkt", confirmation.jkt), ("x5t#S256", confirmation.x5t_s256)) if value]
    return f"it is bound by {' and '.join(bound_to)}, and it was presented alone"


def _advice(confirmation: Confirmation, *, accepts_dpop: bool) -> str:
    if confirmation.jkt is None:
        return "send it on a connection with the client certificate for which it was issued"
    if not accepts_dpop:
        return "request a bearer token, or set dpop to allowed, and send this one with a DPoP proof"
    return "send it with a DPoP proof; to check one: explain TOKEN --dpop PROOF --method GET --url URL"
