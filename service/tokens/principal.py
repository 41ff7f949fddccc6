"""The principal of a validated token: user, client, and what the token allows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

from service.errors import InvalidToken, Reason
from service.tokens.claim_names import DEFAULT_NAMES, MISSING, ClaimNames, find_claim
from service.tokens.claim_rules import Claims
from service.tokens.claims import numeric_date

_TEXTS = ("sub", "jti")
_CONTAINERS = (dict, list)
_NONE: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True, slots=True)
class Principal:
    """The user and client of a validated token, and what the token allows.

    Args:
        issuer: The authorization server that issued the token.
        subject: The user or client that the token is about; unique only within its issuer (RFC 9068 section 2.2).
        client_id: The client that the token was issued to.
        scopes: What the client may do.
        groups: The groups of the user, if the issuer includes them.
        roles: The roles of the user, or of a client without a user, if the issuer includes them.
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
    roles: frozenset[str] = frozenset()
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
        names: ClaimNames = DEFAULT_NAMES,
        max_token_age: float | None = None,
        default_expiry: float = 0.0,
        key_id: str | None = None,
    ) -> Principal:
        """Return the principal of claims that have been checked, ``iss`` among them.

        Args:
            names: The claims of client, scopes, groups and roles.
            max_token_age: Seconds after ``iat`` at which the token ends, even if ``exp`` is later.
            default_expiry: The end of a token without ``exp``, in seconds since the epoch.
            key_id: The ID of the key that signed the token, if it is known.

        Raises:
            InvalidToken: ``exp`` is not a NumericDate, or :func:`check_principal` rejects the claims.
        """
        client_id, scopes = check_principal(claims, names)
        expires_at = _end(claims, max_token_age, default_expiry)
        return cls(
            issuer=claims["iss"],
            subject=claims.get("sub"),
            client_id=client_id,
            scopes=scopes,
            expires_at=expires_at,
            claims=freeze(claims),
            groups=_groups(find_claim(claims, names.groups)),
            roles=_roles(find_claim(claims, names.roles)),
            acr=_acr(claims),
            auth_time=_auth_time(claims, expires_at),
            key_id=key_id,
        )


def check_principal(claims: Claims, names: ClaimNames = DEFAULT_NAMES) -> tuple[str | None, frozenset[str]]:
    """Return client and scopes, and check the types of the claims that say who the principal is and what it may do.

    The deny list and an API compare strings, so another value would match neither an entry nor an owner.

    Raises:
        InvalidToken: The subject, the token ID or the client is not a string, two claims name two clients, or the
            scopes are malformed.
    """
    for name in _TEXTS:
        if name in claims and not isinstance(claims[name], str):
            detail = f"expected a string, found {type(claims[name]).__name__}"
            raise InvalidToken(Reason.MALFORMED_CLAIM, detail, claim=name)
    return names.find_client_id(claims), _scopes(claims, names)


def freeze(document: dict[str, Any]) -> Mapping[str, Any]:
    """Return a deep copy of a JSON object that cannot be changed; it remains a dict of lists and dicts.

    Claims are cached and shared by every request with the same token, so a handler that changed them could
    grant access to other handlers.
    """
    frozen = _FrozenDict(document)  # copied at once, since few claims are containers
    for name, value in document.items():
        if isinstance(value, _CONTAINERS):
            dict.__setitem__(frozen, name, _freeze(value))
    return frozen


def _freeze(value: Any) -> Any:
    if isinstance(value, list):
        # A list may contain the names of a thousand groups; a call for each would cost more than the signature.
        return _FrozenList([item if type(item) is str else _freeze(item) for item in value])
    return freeze(value) if isinstance(value, dict) else value


def _raise_frozen(*_: object, **__: object) -> NoReturn:
    raise TypeError("claims cannot be changed, since other requests share them; change a copy")


class _FrozenList(list[Any]):
    __slots__ = ()

    append = extend = insert = remove = pop = clear = sort = reverse = _raise_frozen
    __setitem__ = __delitem__ = __iadd__ = __imul__ = _raise_frozen

    def __reduce__(self) -> tuple[type[list[Any]], tuple[list[Any]]]:
        return list, (list(self),)


class _FrozenDict(dict[str, Any]):
    __slots__ = ()

    clear = pop = popitem = setdefault = update = _raise_frozen
    __setitem__ = __delitem__ = __ior__ = _raise_frozen

    def __reduce__(self) -> tuple[type[dict[str, Any]], tuple[dict[str, Any]]]:
        return dict, (dict(self),)


def _is_scope(value: object) -> bool:
    # Only U+0020 separates scopes (RFC 6749 section 3.3). At a tab, a line end or another space, the issuer may have
    # granted one scope and a program behind this one read two; none of these characters is printable.
    if isinstance(value, str):
        return value.isprintable()
    return isinstance(value, list) and all(
        [isinstance(scope, str) and scope.isprintable() and " " not in scope for scope in value]  # noqa: C419  # faster for short lists
    )


def _scopes(claims: Claims, names: ClaimNames) -> frozenset[str]:
    """Return the scopes of the first claim that is present, a string (RFC 9068 section 2.2.3) or a list."""
    granted: Any = MISSING
    for name in names.scopes:
        if name not in claims and "." not in name:
            continue
        value = find_claim(claims, name)
        if value is MISSING:
            continue
        if not _is_scope(value):
            detail = "expected scopes separated by single spaces, or a list of scopes"
            raise InvalidToken(Reason.MALFORMED_CLAIM, detail, claim=name)
        if granted is MISSING:
            granted = value
    if granted is MISSING:
        return frozenset()
    return frozenset(filter(None, granted.split(" ") if isinstance(granted, str) else granted))


def _groups(value: object) -> frozenset[str]:
    """Return the names of groups; a string is one name, since names may contain spaces.

    Other values are ignored and grant nothing: a group may also be an object (RFC 7643 section 4.1.2).
    """
    if value is MISSING:
        return _NONE
    names = value if isinstance(value, list) else [value]
    return frozenset([name for name in names if isinstance(name, str)])


def _roles(value: object) -> frozenset[str]:
    """Return the names of roles, which are written like groups, or as Zitadel does: ``{role: {organization: domain}}``.

    The members of another object are no roles: those of Keycloak's ``resource_access`` are the names of clients.
    """
    names = _groups(value)
    if value is MISSING:
        return names
    for item in value if isinstance(value, list) else (value,):
        if isinstance(item, dict):
            names |= {role for role, grants in item.items() if _is_zitadel_grant(grants)}
    return names


def _is_zitadel_grant(value: object) -> bool:
    return isinstance(value, dict) and bool(value) and all(isinstance(domain, str) for domain in value.values())


def _acr(claims: Claims) -> str | None:
    """Return ``acr``, or None if it is missing or malformed."""
    value = claims.get("acr")
    return value if isinstance(value, str) else None


def _auth_time(claims: Claims, expires_at: float) -> float | None:
    """Return ``auth_time``, or None if it is missing or malformed.

    A user signs in before the token expires; a later time, such as one in milliseconds, would be recent for ever.
    """
    try:
        auth_time = numeric_date(claims, "auth_time")
    except InvalidToken:
        return None
    return None if auth_time is None or auth_time > expires_at else auth_time


def _end(claims: Claims, max_token_age: float | None, default_expiry: float) -> float:
    exp = numeric_date(claims, "exp")
    exp = default_expiry if exp is None else exp
    if max_token_age is None:
        return exp
    iat = numeric_date(claims, "iat")
    return exp if iat is None else min(exp, iat + max_token_age)
