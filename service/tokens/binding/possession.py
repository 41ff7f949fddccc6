"""What a request offers to prove that its sender holds the key to which its token is bound."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(kw_only=True, slots=True)
class Possession:
    """The proofs of a request, and what they must be proofs for.

    Args:
        proofs: The values of the header field ``DPoP``; exactly one is accepted.
        method: The method of the request.
        url: The URL as the client sees it, or None if the service does not know its external address.
        scope: The handler; a nonce for one handler is not accepted by another.
        dpop: The mode of the handler, or None if it has none of its own.
        needs_nonce: Whether the handler requires a nonce, or None if it says nothing about it.
        certificate: The SHA-256 hash of the client's certificate in base64url, or None if it has shown none.
        next_nonce: The nonce to send in the header field ``DPoP-Nonce`` of the response; set by the check.
    """

    proofs: tuple[str, ...] = field(repr=False)
    method: str
    url: str | None
    scope: str = ""
    dpop: str | None = None
    needs_nonce: bool | None = None
    certificate: str | None = None
    next_nonce: str | None = None
