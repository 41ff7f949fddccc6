"""A builder for bad tokens: a valid token, any part of which can be replaced."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from fakeissuer.control.jws_parts import Part, encode, signer, with_changes
from fakeissuer.control.mint import mint
from fakeissuer.control.mint_request import MintRequest
from fakeissuer.errors import InvalidRequestError
from fakeissuer.jose.raw_jws import Signer
from fakeissuer.model.claims import Grant
from fakeissuer.model.identifiers import random_text
from fakeissuer.model.records import Record
from fakeissuer.model.servers import Server
from fakeissuer.oauth.signing import jose_header
from fakeissuer.state.seed import SERVICE_APP
from fakeissuer.state.state import IssuerState

if TYPE_CHECKING:
    from fakeissuer.jose.keys import SigningKey

HOUR_S = 3600
SUBJECT = "6cd55704-eb42-4697-b55e-59046efc7b46"
"""The subject of tokens in the form of other issuers; many use a UUID."""

_OWN_CLAIMS = ("ver", "cid", "scp", "client_id", "scope")
"""Claims that this issuer adds to its access tokens, and other issuers do not add to every kind of JWT."""


class BadToken(Record, frozen=True, kw_only=True):
    """A bad token, the rule that it breaks, and the status and error of a correct resource server."""

    secret_members: ClassVar[frozenset[str]] = frozenset({"token"})

    name: str
    token: str
    breaks: str
    status: int
    error: str


@dataclass(frozen=True)
class Row:
    """One entry of the catalogue."""

    name: str
    breaks: str
    make: Callable[[TokenBuilder], str]
    status: int = 401

    @property
    def error(self) -> str:
        """The error code that belongs to the status (RFC 6750 section 3.1)."""
        return {400: "invalid_request", 401: "invalid_token"}[self.status]


class Placeholder(enum.Enum):
    """A value in a table of claims that is known only when the token is built."""

    AUDIENCE = enum.auto()
    """The server's audience, which stands for the client ID as well: some issuers use one name for both."""
    NOW = enum.auto()
    """The time of issue, in seconds since the epoch."""


class TokenBuilder:
    """Builds tokens of one server from the parts of a valid token."""

    def __init__(self, state: IssuerState, server: Server) -> None:
        self.state = state
        self.server = server
        self.issuer = state.urls.issuer(server)
        self.now = int(state.clock.now())
        self.key = state.key_rings.for_server(server).signing_key()
        self.attacker_key = state.key_rings.for_server(server).auxiliary_key("unpublished")
        others = (other for other in state.registry.servers.values() if not other.is_org and other.id != server.id)
        self.other_server = next(others, Server(id="elsewhere", audience="api://elsewhere"))

    def header(self, **changes: Any) -> dict[str, Any]:
        """Return a valid JOSE header with changes."""
        return with_changes(jose_header(self.state.profile, self.server, "access", self.key, "RS256"), changes)

    def claims(self, **changes: Any) -> dict[str, Any]:
        """Return the claims of a valid access token with changes."""
        grant = Grant(
            server=self.server,
            issuer=self.issuer,
            client_id=SERVICE_APP,
            scopes=self.server.default_scopes or ("api:read",),
            user=None,
            issued_at=self.now,
            lifetime_s=HOUR_S,
        )
        return with_changes(self.state.profile.access_token_claims(grant), changes)

    def token(
        self,
        *,
        header: Part | None = None,
        claims: Part | None = None,
        sign: Signer | None = None,
    ) -> str:
        """Return a token of these parts; omitted parts are those of a valid token."""
        return encode(
            self.header() if header is None else header,
            self.claims() if claims is None else claims,
            sign or self.signer(),
        )

    def signer(self, key: SigningKey | None = None, alg: str = "RS256") -> Signer:
        """Return a signer for a key, by default the server's ACTIVE key."""
        return signer(key or self.key, alg)

    def jwt(self, claims: Mapping[str, Any], typ: str | None = "JWT") -> str:
        """Return a JWT that the server has issued, with the claims that all kinds of JWT have, and with these.

        Introspection reports it as active, as real issuers do for most kinds.
        """
        common = {"sub": SUBJECT, "jti": random_text(), **dict.fromkeys(_OWN_CLAIMS)}
        filled = {name: self._filled(value) for name, value in claims.items()}
        return self.mint(claims={**common, **filled}, header={"typ": typ})

    def mint(self, **members: Any) -> str:
        """Return a token from the mint call."""
        return mint(self.state, MintRequest(**{"server": self.server.id, **members})).token

    def _filled(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._filled(item) for item in value]
        if value is Placeholder.AUDIENCE:
            return self.server.audience
        return self.now if value is Placeholder.NOW else value


def builder_for(state: IssuerState, server_id: str) -> TokenBuilder:
    """Return the builder for a server.

    Raises:
        InvalidRequestError: there is no such server, or it is the org server, whose tokens only Okta can validate.
    """
    server = state.registry.server(server_id)
    if server.is_org:
        raise InvalidRequestError(
            "The org server's tokens cannot be verified locally, so it has no catalogue; choose another server."
        )
    return TokenBuilder(state, server)
