"""The life cycle of a server's keys: published as NEXT, signing as ACTIVE, still published as EXPIRED."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from fakeissuer.errors import NotFoundError
from fakeissuer.model.records import Record
from fakeissuer.model.servers import Server
from fakeissuer.profiles.profile import Profile
from fakeissuer.state.clock import Clock
from fakeissuer.state.key_pool import KeyPool

if TYPE_CHECKING:
    from fakeissuer.jose.keys import SigningKey

ROTATION_PERIOD_S = 90 * 86_400
"""Seconds between two rotations: Okta rotates about four times a year."""

StatusName = Literal["active", "next", "expired"]


class KeyStatus(Record, frozen=True, kw_only=True):
    """The status of a key, and whether it is published."""

    kid: str
    status: str
    published: bool


class KeyRing:
    """One server's keys by generation: a rotation advances every key by one status and adds a new NEXT key.

    Generation 0 is the key before the first ACTIVE one; it was withdrawn before the server started.
    The first rotation is a period after ``started_at`` (seconds since the epoch).
    """

    def __init__(self, server: str, pool: KeyPool, started_at: float, *, has_internal_key: bool = False) -> None:
        self._server = server
        self._pool = pool
        self._keys: dict[str, SigningKey] = {}
        self._has_internal_key = has_internal_key
        self._generation: dict[StatusName, int] = {"active": 1, "next": 2, "expired": 0}
        self._newest = 2
        self._withdrawn = {0}
        self._hidden_until: dict[int, float | None] = {}
        self._extra_public_keys: dict[str, dict[str, Any]] = {}
        self.rotates_at = started_at + ROTATION_PERIOD_S

    def signing_key(self, status: StatusName = "active") -> SigningKey:
        """Return the key of that status."""
        return self._key(self._generation[status])

    def access_token_key(self) -> SigningKey:
        """Return the key that signs access tokens: the ACTIVE key, or an unpublished one if the ring has that."""
        return self.auxiliary_key("internal") if self._has_internal_key else self.signing_key()

    def auxiliary_key(self, name: str, *, alg: str = "RS256", kind: str = "RSA") -> SigningKey:
        """Return a key outside the life cycle; it is not published unless ``publish_extra`` adds it."""
        if name not in self._keys:
            self._keys[name] = self._pool.key(self._server, name, alg=alg, kind=kind)
        return self._keys[name]

    def find(self, kid: str) -> SigningKey:
        """Return the key with that kid.

        Raises:
            NotFoundError: the server has no such key.
        """
        number = self._number_of(kid)
        if number is None:
            raise NotFoundError(f"The server {self._server} has no key with that kid.")
        return self._key(number)

    def key_set(self) -> dict[str, list[dict[str, Any]]]:
        """Return the published keys as a JWK Set (RFC 7517 section 5)."""
        keys = [self._key(number).public for number in self._published()]
        return {"keys": keys + list(self._extra_public_keys.values())}

    def statuses(self) -> list[KeyStatus]:
        """Return each key with its status."""
        published = self._published()
        return [
            KeyStatus(kid=self._key(number).kid, status=status.upper(), published=number in published)
            for status, number in self._generation.items()
        ]

    def advance_to(self, now: float) -> None:
        """Apply the rotations that are due, and publish keys whose delay has ended."""
        if now >= self.rotates_at:
            missed = int((now - self.rotates_at) // ROTATION_PERIOD_S)
            # After many missed rotations only the last three generations are visible.
            self._newest += max(missed - 2, 0)
            for _ in range(min(missed, 2) + 1):
                self._rotate()
            self.rotates_at += (missed + 1) * ROTATION_PERIOD_S
        self._hidden_until = {
            number: until for number, until in self._hidden_until.items() if until is None or until > now
        }

    def max_age_s(self, now: float) -> int:
        """Return the seconds for which the key set may be cached, until the next rotation."""
        return int(max(min(self.rotates_at - now, ROTATION_PERIOD_S), 0))

    def rotate(self, now: float) -> None:
        """Make NEXT the ACTIVE key, and start a new rotation period."""
        self._rotate()
        self.rotates_at = now + ROTATION_PERIOD_S

    def delay_publication(self, now: float, *, hidden_until: float | None = None) -> None:
        """Sign with a new key that is published at ``hidden_until`` (seconds since the epoch) or by ``publish_now``."""
        self._newest += 1
        self._generation |= {"expired": self._generation["active"], "active": self._newest}
        self._hidden_until[self._newest] = hidden_until
        self.rotates_at = now + ROTATION_PERIOD_S

    def publish_now(self) -> None:
        """Publish all keys whose publication was delayed."""
        self._hidden_until.clear()

    def withdraw(self, kid: str) -> bool:
        """Remove a key from the key set and return whether it existed; an ACTIVE key still signs."""
        remaining = {name: members for name, members in self._extra_public_keys.items() if members.get("kid") != kid}
        if len(remaining) < len(self._extra_public_keys):
            self._extra_public_keys = remaining
            return True
        number = self._number_of(kid)
        if number is not None:
            self._withdrawn.add(number)
        return number is not None

    def publish_extra(self, name: str, members: dict[str, Any]) -> None:
        """Add a key outside the life cycle to the key set, or replace the one of the same name."""
        self._extra_public_keys[name] = members

    def _rotate(self) -> None:
        self._newest += 1
        self._hidden_until.clear()
        self._generation |= {
            "expired": self._generation["active"],
            "active": self._generation["next"],
            "next": self._newest,
        }

    def _published(self) -> list[int]:
        hidden = self._withdrawn | self._hidden_until.keys()
        return [number for number in self._generation.values() if number not in hidden]

    def _number_of(self, kid: str) -> int | None:
        for number in self._generation.values():
            # A known kid belongs to a generated key, so the search generates none.
            key = self._pool.existing(self._server, str(number))
            if key is not None and key.kid == kid:
                return number
        return None

    def _key(self, number: int) -> SigningKey:
        return self.auxiliary_key(str(number))


class KeyRings:
    """The key rings of all servers, each created at its first use.

    In Okta's profile the org server's access tokens are for Okta itself: an unpublished key signs them.
    """

    def __init__(self, pool: KeyPool, clock: Clock, profile: Profile) -> None:
        self._pool = pool
        self._clock = clock
        self._profile = profile
        self._started_at = clock.now()
        self._rings: dict[str, KeyRing] = {}

    def for_server(self, server: Server) -> KeyRing:
        """Return the key ring of a server, with every rotation done that is due by now."""
        ring = self._rings.get(server.id)
        if ring is None:
            has_internal_key = server.is_org and not self._profile.is_strict
            ring = KeyRing(server.id, self._pool, self._started_at, has_internal_key=has_internal_key)
            self._rings[server.id] = ring
        ring.advance_to(self._clock.now())
        return ring

    def key_set(self, server: Server, base_url: str) -> dict[str, list[dict[str, Any]]]:
        """Return the published keys of a server as the profile publishes them at a base URL."""
        ring, profile = self.for_server(server), self._profile
        keys = ring.key_set()["keys"]
        if profile.publishes_encryption_key:
            keys.append({**ring.auxiliary_key("encryption").public, "alg": "RSA-OAEP", "use": "enc"})
        return {"keys": [profile.published_key(jwk, base_url) for jwk in keys]}

    def remove(self, server_id: str) -> None:
        """Discard the key ring of a server that is removed."""
        self._rings.pop(server_id, None)

    def clear(self) -> None:
        """Discard all key rings; their keys stay in the pool."""
        self._rings.clear()
