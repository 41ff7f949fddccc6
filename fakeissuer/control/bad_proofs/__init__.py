"""The catalogue of bad DPoP proofs: each breaks one rule, and has the error of a correct resource server (RFC 9449).

Such a server trusts the issuer of the token, accepts ES256 and no proof that is older than nine minutes or ten minutes
ahead, reads at most 8 KiB of a proof, and accepts each proof once.
"""

from __future__ import annotations

from fakeissuer.control.bad_proofs import claims, encoding, headers, keys, requests
from fakeissuer.control.bad_proofs.proof_builder import BadProof, BadProofsRequest, ProofBuilder, Row
from fakeissuer.state.state import IssuerState

ROWS: tuple[Row, ...] = (*requests.ROWS, *encoding.ROWS, *headers.ROWS, *keys.ROWS, *claims.ROWS)


def bad_proofs(state: IssuerState, request: BadProofsRequest) -> list[BadProof]:
    """Return a bad proof of each kind for a request; those with a bad nonce only if it has a nonce.

    Raises:
        InvalidRequestError: The token cannot be minted.
    """
    builder = ProofBuilder(state, request)
    return [
        BadProof(
            name=row.name,
            fields=row.make(builder),
            breaks=row.breaks,
            status=401,
            error=row.error,
            times=row.times,
        )
        for row in ROWS
        if request.nonce is not None or not row.needs_nonce
    ]


__all__ = ["ROWS", "BadProof", "BadProofsRequest", "bad_proofs"]
