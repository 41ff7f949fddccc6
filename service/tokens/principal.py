"""The principal of a validated token: user, client, and what the token allows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

from service.errors import InvalidToken
from service.tokens.claims import numeric_date


@dataclass(frozen=True, kw_only=True, slots=True)
class Principal:
    """The user and client of a validated token, and what the token allows.

    Args:
        issuer: The authorization server that issued the token.
        subject: The user or client that the token is about; unique only within its issuer (RFC 9068 section 2.2).
        client_id: The client that the token was issued to.
        scopes: What the client may do, from ``scope`` or ``scp``.
        groups: The groups of the user, if the issuer includes them.
        acr: The authentication context class of the user's sign-in (RFC 9470 section 6).
        auth_time: The time of the user's sign-in, in seconds since the epoch.
        expires_at: The end of the token, in seconds since the epoch.
        claims: The whole JWT claims set, read-only.
        key_id: The ID of the key that signed the token; None if the token is opaque or its key has no ID.
    """

    issuer: str
    subject: str | None
    client_id: str | None
    scopes: frozenset[str]
    expires_at: float
    claims: Mapping[str, Any] = field(repr=False)
    groups: frozenset[str] = frozenset()
    acr: str | None = None
    auth_time: float | None = None
    key_id: str | None = None

    def same_subject_and_client(self, other: Principal) -> bool:
        """Return whether two tokens have the same user and client; a subject is compared together with its issuer."""
        mine, others = (self.issuer, self.subject, self.client_id), (other.issuer, other.subject, other.client_id)
        return mine == others

    @classmethod
    def from_claims(
        cls,
        claims: dict[str, Any],
        *,
        max_token_age: float | None = None,
        default_expiry: float = 0.0,
        key_id: str | None = None,
    ) -> Principal:
        """Return the principal of claims that have been checked, ``iss`` among them.

        Args:
            max_token_age: Seconds after ``iat`` at which the token ends, even if ``exp`` is later.
            default_expiry: The end of a token without ``exp``, in seconds since the epoch.
            key_id: The ID of the key that signed the token, if it is known.

        Raises:
            InvalidToken: ``exp`` is not a NumericDate, which no checked token has.
        """
        return cls(
            issuer=claims["iss"],
            subject=_text(claims.get("sub")),
            client_id=_text(claims.get("client_id", claims.get("cid"))),
            scopes=_scopes(claims),
            expires_at=_end(claims, max_token_age, default_expiry),
            claims=freeze(claims),
            groups=_groups(claims),
            acr=_text(claims.get("acr")),
            auth_time=_auth_time(claims),
            key_id=key_id,
        )


def freeze(document: dict[str, Any]) -> Mapping[str, Any]:
    """Return a deep copy of a JSON object that cannot be changed; it remains a dict of lists and dicts.

    Claims are cached and shared by every request with the same token, so a handler that changed them could
    grant access to other handlers.
    """
    return _FrozenDict((name, _freeze(value)) for name, value in document.items())


def _freeze(value: Any) -> Any:
    if isinstance(value, list):
        return _FrozenList(map(_freeze, value))
    return freeze(value) if isinstance(value, dict) else value


def _raise_frozen(*_: object, **__: object) -> NoReturn:
    raise TypeError("claims cannot be changed, since other requests share them; change a copy")


class _FrozenList(list[Any]):
    append = extend = insert = remove = pop = clear = sort = reverse = _raise_frozen
    __setitem__ = __delitem__ = __iadd__ = __imul__ = _raise_frozen

    def __reduce__(self) -> tuple[type[list[Any]], tuple[list[Any]]]:
        return list, (list(self),)


class _FrozenDict(dict[str, Any]):
    clear = pop = popitem = setdefault = update = _raise_frozen
    __setitem__ = __delitem__ = __ior__ = _raise_frozen

    def __reduce__(self) -> tuple[type[dict[str, Any]], tuple[dict[str, Any]]]:
        return dict, (dict(self),)


def _scopes(claims: Mapping[str, Any]) -> frozenset[str]:
    """Return the scope tokens of ``scope`` (RFC 9068 section 2.2.3) or of Okta's ``scp``, which may be a list."""
    value = claims.get("scope", claims.get("scp"))
    if isinstance(value, str):
        return frozenset(value.split())
    if isinstance(value, list):
        return frozenset([scope for scope in value if isinstance(scope, str)])
    return frozenset()


def _groups(claims: Mapping[str, Any]) -> frozenset[str]:
    """Return the names in ``groups``; a string is one name, since group names may contain spaces."""
    value = claims.get("groups")
    names = value if isinstance(value, list) else [value]
    return frozenset([name for name in names if isinstance(name, str)])


def _auth_time(claims: Mapping[str, Any]) -> float | None:
    """Return ``auth_time``, or None if it is missing or malformed."""
    try:
        return numeric_date(claims, "auth_time")
    except InvalidToken:
        return None


def _end(claims: Mapping[str, Any], max_token_age: float | None, default_expiry: float) -> float:
    exp = numeric_date(claims, "exp")
    exp = default_expiry if exp is None else exp
    if max_token_age is None:
        return exp
    iat = numeric_date(claims, "iat")
    return exp if iat is None else min(exp, iat + max_token_age)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
