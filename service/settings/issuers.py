"""The settings of one issuer: as written by the operator, and as used by the validators."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, Self

import jiter
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, model_validator

from service.settings.files import read_secret_file
from service.settings.groups.binding import DPoPMode
from service.settings.profiles.effective import EffectiveProfile, default_audience, effective_profile, issuers_of
from service.settings.profiles.locations import Locations
from service.settings.profiles.settings import ServerProfileSettings
from service.settings.profiles.texts import AcceptedTexts, Texts
from service.text import did_you_mean
from service.tokens.algorithms import ALGORITHMS
from service.urls import is_secure


def _rename_strict(profile: object) -> object:
    """Return ``rfc9068`` for ``strict``, the value that is used with the environment name ``SERVICE_RFC9068``."""
    return "rfc9068" if profile == "strict" else profile


def _decode_tables(tables: object) -> object:
    """Decode the JSON array that the environment has in place of TOML's tables."""
    if isinstance(tables, str):
        try:
            return jiter.from_json(tables.encode(), allow_inf_nan=False, catch_duplicate_keys=True)
        except ValueError:  # its message may quote a secret
            raise ValueError('expected a JSON array of objects: [{"issuer": "https://…", "audience": "…"}]') from None
    return tables


def _check_algorithms(algorithms: tuple[str, ...]) -> tuple[str, ...]:
    if not algorithms or not ALGORITHMS.keys() >= set(algorithms):
        raise ValueError(f"expected some of {', '.join(ALGORITHMS)}; symmetric algorithms and none are never accepted")
    return algorithms


Algorithms = Annotated[Texts, AfterValidator(_check_algorithms)]
Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]
PerMinute = Annotated[int, Field(ge=0)]
Profile = Annotated[Literal["lenient", "rfc9068"], BeforeValidator(_rename_strict)]
AuthenticationMethod = Literal[
    "client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt", "none"
]


@dataclass(frozen=True, kw_only=True, slots=True)
class ClientCredentials:
    """The credentials with which the service introspects tokens (RFC 6749 section 2.3).

    Args:
        private_key_file: Path of a private key, in PEM or as a JWK.
        method: The authentication method; None selects the first that the issuer supports.
    """

    client_id: str
    secret: SecretStr | None = field(default=None, repr=False)
    private_key_file: str | None = None
    method: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class TrustedIssuer:
    """An authorization server whose tokens are accepted, with its effective settings; times are in seconds.

    Args:
        validation: The kind of validator.
        leeway: The tolerated clock difference between the issuer and the service.
        max_token_age: The longest accepted time since ``iat``; None accepts a token until ``exp``.
        requires_rfc9068: Whether tokens must have the type and all the claims of RFC 9068.
        stale_if_error: How long the last good key set is used while the issuer is unavailable.
        client: The credentials for introspection; None if the service has none.
        introspection_cache_lifetime: How long an introspection response is cached; a revoked token is accepted for
            that long.
        introspection_rate_limit: The introspection requests per minute that one client address may cause with tokens
            that are not active; 0 for no limit.
        introspection_jwt: Whether introspection responses must be signed (RFC 9701).
        zero_exp_is_never: Whether ``exp`` of 0 in an introspection response stands for a token that does not expire.
        accept_when_introspection_fails: Whether hybrid validation accepts a token while introspection fails.
        accepts_introspection_without_audience: Whether an opaque token is accepted although the introspection response
            has no ``aud``; a token for any other API of the issuer is then accepted too.
        accepts_id_token_hashes: Whether a token with ``at_hash`` or another hash of ID tokens is accepted.
        dpop: Whether its tokens may be bound by DPoP: ``off``, ``allowed`` or ``required``.
        requires_dpop_nonce: Whether a proof needs a nonce of this service.
        profile: What is particular to its kind of server.
        locations: Where its documents and endpoints are, if not where the issuer says.
    """

    issuer: str
    audiences: frozenset[str]
    validation: str
    algorithms: frozenset[str]
    allowed_client_ids: frozenset[str] | None
    leeway: float
    max_token_age: float | None
    requires_rfc9068: bool
    stale_if_error: float
    client: ClientCredentials | None
    introspection_cache_lifetime: float
    introspection_rate_limit: int
    introspection_jwt: bool
    zero_exp_is_never: bool
    accept_when_introspection_fails: bool
    accepts_introspection_without_audience: bool
    accepts_id_token_hashes: bool
    dpop: DPoPMode
    requires_dpop_nonce: bool
    profile: EffectiveProfile
    locations: Locations

    @property
    def is_discovered(self) -> bool:
        """Whether metadata is fetched from below the issuer."""
        needs_endpoint = self.client is not None and self.locations.introspection_endpoint is None
        needs_keys = self.validation != "introspection" and not self.locations.has_keys
        return self.locations.metadata_url is None and (needs_keys or needs_endpoint)

    @property
    def is_exposed(self) -> bool:
        """Whether something of this issuer is fetched over a network without TLS."""
        urls = [*self.locations.urls.values(), *([self.issuer] if self.is_discovered else [])]
        return not all(map(is_secure, urls))


class IssuerSettings(ServerProfileSettings):
    """One ``[[issuers]]`` table.

    A setting without a description here has that of the program, and the program's value unless the table sets it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, defer_build=True)

    issuer: str
    """The issuer identifier, exactly as it stands in the ``iss`` claim of its tokens."""
    audience: AcceptedTexts = ()
    """The accepted values of the ``aud`` claim; ``api://default`` by default for an Okta custom server."""
    validation: str | None = None
    algorithms: Algorithms | None = None
    allowed_client_ids: AcceptedTexts | None = None
    leeway: Seconds | None = None
    max_token_age: Seconds | None = None
    token_profile: Profile | None = None
    stale_if_error: Seconds | None = None
    client_id: str | None = None
    """The client ID with which the service authenticates to this issuer's introspection endpoint."""
    client_secret: SecretStr | None = None
    """The secret of that client."""
    client_secret_file: str | None = None
    """A file that holds ``client_secret``."""
    private_key_file: str | None = None
    """A file with the private key of that client, PEM or JWK, for ``private_key_jwt``."""
    introspection_auth_method: AuthenticationMethod | None = None
    """How the service authenticates to introspect; by default, the first method that the issuer supports."""
    introspection_cache_lifetime: Seconds | None = None
    introspection_rate_limit: PerMinute | None = None
    introspection_jwt: bool | None = None
    introspection_zero_exp_is_never: bool | None = None
    insecure_accept_when_introspection_fails: bool | None = None
    insecure_accept_introspection_without_audience: bool | None = None
    insecure_accept_id_token_hashes: bool | None = None
    dpop: DPoPMode | None = None
    dpop_nonce: bool | None = None

    @model_validator(mode="before")
    @classmethod
    def _check_names(cls, values: Any) -> Any:
        if not isinstance(values, Mapping):
            return values
        if unknown := sorted(str(name) for name in values.keys() - cls.model_fields.keys()):
            hints = (f"there is no setting {name!r}{did_you_mean(name, cls.model_fields)}" for name in unknown)
            raise ValueError("\n".join(hints))
        return read_secret_file(values, "client_secret")

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Return a copy with other values, which are validated like those of new settings."""
        copy = super().model_copy(deep=deep)
        return copy if not update else self.model_validate(set_values(copy) | dict(update))

    @property
    def client(self) -> ClientCredentials | None:
        """The credentials for this issuer; those of another issuer are never used, which would disclose a secret."""
        if self.client_id is None:
            return None
        return ClientCredentials(
            client_id=self.client_id,
            secret=self.client_secret,
            private_key_file=self.private_key_file,
            method=self.introspection_auth_method,
        )


IssuerTables = Annotated[tuple[IssuerSettings, ...], BeforeValidator(_decode_tables)]


def set_values(settings: BaseModel) -> dict[str, Any]:
    """Return the values that were set, without the defaults."""
    return {name: value for name, value in settings if name in settings.model_fields_set}


def trusted_issuers(table: IssuerSettings, program: BaseModel) -> Iterator[TrustedIssuer]:
    """Yield the effective settings of an issuer: its own, or else those of the program; one for each tenant."""
    overrides = {name: value for name, value in table if value is not None}
    effective = {name: overrides.get(name, getattr(program, name)) for name in IssuerSettings.model_fields}
    for issuer in issuers_of(table, table.issuer):
        profile = effective_profile(table, issuer, has_audience=bool(table.audience))
        yield TrustedIssuer(
            issuer=issuer,
            audiences=frozenset(table.audience or default_audience(issuer, table.profile)),
            validation=effective["validation"],
            algorithms=frozenset(effective["algorithms"]),
            allowed_client_ids=frozenset(effective["allowed_client_ids"]) or None,
            leeway=effective["leeway"],
            max_token_age=effective["max_token_age"],
            requires_rfc9068=effective["token_profile"] == "rfc9068",  # noqa: S105  # a profile, no password
            stale_if_error=effective["stale_if_error"],
            client=table.client,
            introspection_cache_lifetime=effective["introspection_cache_lifetime"],
            introspection_rate_limit=effective["introspection_rate_limit"],
            introspection_jwt=effective["introspection_jwt"],
            zero_exp_is_never=effective["introspection_zero_exp_is_never"],
            accept_when_introspection_fails=effective["insecure_accept_when_introspection_fails"],
            accepts_introspection_without_audience=effective["insecure_accept_introspection_without_audience"],
            accepts_id_token_hashes=effective["insecure_accept_id_token_hashes"],
            dpop=effective["dpop"],
            requires_dpop_nonce=effective["dpop_nonce"],
            profile=profile,
            locations=table.locations(issuer),
        )


def issuer_of_org(org_url: str, server_id: str) -> str:
    """Return the issuer of an authorization server of an Okta org; ``org`` is the org server."""
    base = org_url if "://" in org_url else f"https://{org_url}"
    base = base.rstrip("/")
    return base if server_id == "org" else f"{base}/oauth2/{server_id}"
