"""Key sets, and the selection of the keys that may verify a token (RFC 7517 section 5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from service.tokens.claim_rules import shorten
from service.tokens.issuer_identifier import find_tenant
from service.tokens.jwk import JWK

MAX_CANDIDATES = 4
"""Keys tried for one token; bounded because each costs a signature verification."""

_MAX_REASONS = 8
"""Keys whose problems a message lists; a key set may have any number of them."""
_NO_PUBLISHED_KEYS = (
    "servers that sign with a shared secret (HS256) publish no keys: have the issuer sign with RS256 or ES256"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class SkippedKey:
    """An element of ``keys`` that cannot be used.

    Args:
        number: Its place among the elements, from 1.
        kid: Its key ID, if that is a string.
        reason: Why it cannot be used.
    """

    number: int
    kid: str | None
    reason: str

    def __str__(self) -> str:
        name = f"key {self.number}" if self.kid is None else f"key {shorten(self.kid)}"
        return f"{name}: {self.reason}"


@dataclass(frozen=True, kw_only=True, slots=True)
class KeySet:
    """The usable keys of an issuer, and the others with the reasons why they were skipped."""

    keys: tuple[JWK, ...]
    skipped: tuple[SkippedKey, ...] = ()
    by_kid: Mapping[str | None, list[JWK]] = field(init=False, repr=False, compare=False)
    """The keys by their ID, under None those without one."""

    def __post_init__(self) -> None:
        by_kid: dict[str | None, list[JWK]] = {}
        for key in self.keys:
            by_kid.setdefault(key.kid, []).append(key)
        object.__setattr__(self, "by_kid", by_kid)

    @classmethod
    def read(cls, document: Mapping[str, Any], *, issuer: str = "") -> KeySet:
        """Return the usable keys of a JWK Set; unusable keys are skipped (RFC 7517 section 5).

        Args:
            issuer: The issuer of the keys; those that Entra marks as keys of another tenant are skipped.

        Raises:
            ValueError: The document is not a JWK Set, or has no usable key; the message has the reason for each key.
        """
        members = document.get("keys")
        if not isinstance(members, list):
            raise ValueError(f"the key set has no list named keys{_explain_other_document(document)}")
        if not members:
            raise ValueError(f"the key set is empty; {_NO_PUBLISHED_KEYS}")
        keys: list[JWK] = []
        skipped: list[SkippedKey] = []
        for number, member in enumerate(members, start=1):
            try:
                _check_tenant(member, issuer)
                keys.append(JWK.read(member))
            except ValueError as exc:
                kid = member.get("kid") if isinstance(member, dict) else None
                skipped.append(SkippedKey(number=number, kid=kid if isinstance(kid, str) else None, reason=str(exc)))
        if not keys:
            raise ValueError(f"the key set has no usable key among {len(members)}: {_list_reasons(skipped)}")
        return cls(keys=tuple(keys), skipped=tuple(skipped))

    def select(self, *, algorithm: str, kid: str | None) -> Sequence[JWK]:
        """Return the keys that may verify a token with this header, at most :data:`MAX_CANDIDATES`.

        ``kid`` need not be unique (RFC 7517 section 4.5), so keys for other algorithms are left out. Without a
        ``kid``, every key for the algorithm is a candidate.
        """
        candidates = self.keys if kid is None else self.by_kid.get(kid, ())
        return [key for key in candidates if algorithm in key.algorithms][:MAX_CANDIDATES]

    def explain_absence(self, *, algorithm: str, kid: str | None) -> str:
        """Return why :meth:`select` has no key for a token with this header."""
        if kid is None:
            return f"no key is for {algorithm}"
        if kid in self.by_kid:
            return f"the key is for {' or '.join(sorted(self.by_kid[kid][0].algorithms))}, and not for {algorithm}"
        reasons = [str(key) for key in self.skipped if key.kid == kid]
        return f"it is published, but cannot be used: {'; '.join(reasons)}" if reasons else "no key has this kid"


def _check_tenant(parameters: object, issuer: str) -> None:
    """Reject a key of another Entra tenant.

    The key of personal accounts stands beside those of all tenants. Stolen, it would sign tokens of every tenant.
    """
    key_issuer = parameters.get("issuer") if isinstance(parameters, dict) else None
    tenant, own = find_tenant(str(key_issuer)), find_tenant(issuer)
    if tenant is not None and own is not None and tenant != own:
        raise ValueError("it is the key of another tenant")


def _list_reasons(skipped: Sequence[SkippedKey]) -> str:
    rest = len(skipped) - _MAX_REASONS
    listed = "; ".join(map(str, skipped[:_MAX_REASONS]))
    return f"{listed}; and {rest} more" if rest > 0 else listed


def _explain_other_document(document: Mapping[str, Any]) -> str:
    """Return what a document is that is no JWK Set, if that is known."""
    if not document:
        return f"; {_NO_PUBLISHED_KEYS}"
    if all(isinstance(value, str) and value.startswith("-----BEGIN") for value in document.values()):
        return ", but maps key IDs to PEM; the issuer has another URL for its JWK Set"
    if "kty" in document:
        return ", but is a single key; write it into a list named keys"
    return ", but a jwks_uri; it is the discovery document" if "jwks_uri" in document else ""
