"""What differs between the authorization servers that the issuer can imitate."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from fakeissuer.model.claims import Claims, Grant
from fakeissuer.model.layout import OKTA_LAYOUT, Layout
from fakeissuer.model.records import Record
from fakeissuer.model.urls import ServerURLs
from fakeissuer.model.users import User

if TYPE_CHECKING:
    from fakeissuer.jose.keys import SigningKey

Metadata = dict[str, Any]


class Variants(Record, frozen=True, kw_only=True):
    """Behaviours that differ from one account or server to another; each can be set in the ``--config`` file."""

    unknown_client_status: Literal[400, 401] = 401
    """The status of the token endpoint for an unregistered client."""

    introspection_names_client_as_user: bool = False
    """Whether introspection returns the client ID as ``username`` of a token without a user."""

    decodes_basic: bool = True
    """Whether the secret in Basic may be form-encoded (RFC 6749 section 2.3.1)."""


@dataclass(frozen=True, kw_only=True)
class IntrospectedToken:
    """A token that is active, with the client that it was issued to and the client that sent the request."""

    kind: str
    claims: Claims
    scopes: tuple[str, ...]
    username: str | None
    client_id: str
    caller_id: str


def _unchanged(key: SigningKey) -> SigningKey:
    return key


def _user_id(user: User) -> str:
    return user.id


def _unchanged_jwk(jwk: dict[str, Any], _base_url: str) -> dict[str, Any]:
    return jwk


@dataclass(frozen=True, kw_only=True)
class Profile:
    """One authorization server; the defaults are Okta's.

    ``metadata`` and ``introspection`` are None where Okta's own documents and responses are served. ``metadata`` gets
    the path of the request; ``introspection`` returns None for a token that is inactive for the client of the request.
    ``audiences`` replace the audiences of the initial servers. ``complete_key`` sets the key ID and the certificate of
    a new key, and ``published_key`` changes its JWK for the key set of an issuer at a base URL.
    """

    access_token_claims: Callable[[Grant], Claims]
    id_token_claims: Callable[..., Claims]
    subject: Callable[[User], str] = _user_id
    """The ``sub`` of ID tokens and userinfo."""

    typ: str | None
    """The ``typ`` of the access tokens of custom servers."""

    id_token_typ: str | None = None
    access_token_key_members: tuple[str, ...] = ("kid",)
    """The header parameters of access tokens that name the key."""

    id_token_key_members: tuple[str, ...] = ("kid",)
    id_token_key: Literal["active", "next"] = "active"  # noqa: S105  # a status
    """The status of the key that signs ID tokens; access tokens are always signed with the ACTIVE key."""

    is_strict: bool
    """Whether error responses follow RFC 6749 section 5.2: one format, and a challenge with a 401."""

    layout: Layout = OKTA_LAYOUT
    metadata: Callable[[ServerURLs, str], Metadata] | None = None
    introspection: Callable[[IntrospectedToken], Claims | None] | None = None
    audiences: Mapping[str, str] = field(default_factory=dict)
    complete_key: Callable[[SigningKey], SigningKey] = _unchanged
    published_key: Callable[[dict[str, Any], str], dict[str, Any]] = _unchanged_jwk
    publishes_encryption_key: bool = False
    """Whether the key set also has a key for encryption."""

    variants: Variants = field(default_factory=Variants)

    @property
    def has_org_server(self) -> bool:
        """Whether there is an org server, which only Okta has."""
        return self.layout is OKTA_LAYOUT
