"""Requests whose proof is valid, but missing, sent twice, or sent with another token (RFC 9449 sections 4.3 and 7)."""

from __future__ import annotations

from fakeissuer.control.bad_proofs.proof_builder import INVALID_TOKEN, Fields, ProofBuilder, Row, token_hash
from fakeissuer.oauth.dpop import jwk_thumbprint


def _unbound(builder: ProofBuilder) -> Fields:
    """Return an unbound token with a proof."""
    token = builder.mint(dpop_jkt=None)
    return builder.fields(builder.proof(claims=builder.claims(ath=token_hash(token))), token=token)


def _bound_to_a_certificate_too(builder: ProofBuilder) -> Fields:
    """Return a token that needs a client certificate as well, with a proof."""
    confirmation = {"jkt": jwk_thumbprint(builder.jwk), "x5t#S256": token_hash("certificate")}
    token = builder.mint(claims={"cnf": confirmation})
    return builder.fields(builder.proof(claims=builder.claims(ath=token_hash(token))), token=token)


ROWS = (
    Row("proof-missing", "a request with the scheme DPoP has a proof", lambda builder: builder.fields()),
    Row(
        "proof-twice",
        "there is one field DPoP",
        lambda builder: builder.fields(builder.proof(), builder.proof()),
    ),
    Row(
        "proofs-with-comma",
        "a field DPoP has one proof",
        lambda builder: builder.fields(f"{builder.proof()}, {builder.proof()}"),
    ),
    Row("proof-empty", "the field DPoP has a proof", lambda builder: builder.fields("")),
    Row(
        "replayed",
        "a proof is accepted once: the second request with these fields is rejected",
        lambda builder: builder.fields(builder.proof()),
        times=2,
    ),
    Row(
        "scheme-bearer",
        "a bound token is not accepted as a bearer token",
        lambda builder: builder.fields(builder.proof(), scheme="Bearer"),
        error=INVALID_TOKEN,
    ),
    Row(
        "scheme-bearer-without-proof",
        "a bound token is not accepted as a bearer token",
        lambda builder: builder.fields(scheme="Bearer"),
        error=INVALID_TOKEN,
    ),
    Row("token-unbound", "a token with the scheme DPoP is bound", _unbound, error=INVALID_TOKEN),
    Row(
        "token-bound-to-a-certificate-too",
        "each key that the token is bound to is proved",
        _bound_to_a_certificate_too,
        error=INVALID_TOKEN,
    ),
)
