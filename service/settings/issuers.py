"""The settings of one issuer: as written by the operator, and as used by the validators."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, model_validator
from pydantic_settings import NoDecode

from service.tokens import issuer_identifier
from service.tokens.algorithms import ALGORITHMS

OKTA_AUDIENCE = "api://default"
"""The audience that Okta gives its custom authorization servers."""


def _split(value: object) -> object:
    """Split a comma-separated list from the environment, and strip the spaces around each item."""
    if isinstance(value, str):
        return [item.strip() for item in value.split(",") if item.strip()]
    return value


def _rename_strict(profile: object) -> object:
    """Return ``rfc9068`` for ``strict``, the value that is used with the environment name ``SERVICE_RFC9068``."""
    return "rfc9068" if profile == "strict" else profile


def _check_issuer(issuer: str) -> str:
    if mistakes := issuer_identifier.find_mistakes(issuer):
        raise ValueError("; ".join(mistakes))
    return issuer


def _check_algorithms(algorithms: tuple[str, ...]) -> tuple[str, ...]:
    if not algorithms or not ALGORITHMS.keys() >= set(algorithms):
        raise ValueError(f"expected some of {', '.join(ALGORITHMS)}; symmetric algorithms and none are never accepted")
    return algorithms


Texts = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]
IssuerIdentifier = Annotated[str, AfterValidator(_check_issuer)]
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
        accept_when_introspection_fails: Whether hybrid validation accepts a token while introspection fails.
        accepts_introspection_without_audience: Whether an opaque token is accepted although the introspection response
            has no ``aud``; a token for any other API of the issuer is then accepted too.
        accepts_id_token_hashes: Whether a token with ``at_hash`` or another hash of ID tokens is accepted.
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
    accept_when_introspection_fails: bool
    accepts_introspection_without_audience: bool
    accepts_id_token_hashes: bool


class IssuerSettings(BaseModel):
    """One ``[[issuers]]`` table.

    A setting without a description here has that of the program, and the program's value unless the table sets it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, use_attribute_docstrings=True)

    issuer: IssuerIdentifier
    """The issuer identifier, exactly as it stands in the ``iss`` claim of its tokens."""
    audience: Texts = ()
    """The accepted values of the ``aud`` claim; ``api://default`` by default for an Okta custom server."""
    validation: str | None = None
    algorithms: Algorithms | None = None
    allowed_client_ids: Texts | None = None
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
    insecure_accept_when_introspection_fails: bool | None = None
    insecure_accept_introspection_without_audience: bool | None = None
    insecure_accept_id_token_hashes: bool | None = None

    @model_validator(mode="before")
    @classmethod
    def _read_secret(cls, values: Any) -> Any:
        return read_secret_file(values, "client_secret") if isinstance(values, Mapping) else values

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


def read_secret_file(values: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return settings with the secret ``name`` read from the file ``{name}_file``, unless it is set directly.

    Raises:
        ValueError: The file cannot be read, or is empty.
    """
    settings = dict(values)
    path = settings.get(f"{name}_file")
    if path and not settings.get(name):
        try:
            secret = Path(path).read_text("utf-8").strip()
        except (OSError, UnicodeError) as exc:
            raise ValueError(f"{name}_file: {path}: {getattr(exc, 'strerror', None) or 'not UTF-8 text'}") from None
        if not secret:
            raise ValueError(f"{name}_file: {path} is empty")
        settings[name] = secret
    return settings


def audience_at_okta(issuer: object) -> tuple[str, ...]:
    """Return the default audience of an Okta custom server, or an empty tuple for any other issuer."""
    try:
        is_okta = isinstance(issuer, str) and issuer_identifier.is_okta_custom_server(issuer)
    except ValueError:  # not a URL; the check of the issuer reports it
        is_okta = False
    return (OKTA_AUDIENCE,) if is_okta else ()


def find_problems(issuer: TrustedIssuer) -> Iterator[str]:
    """Yield one sentence if tokens of this issuer cannot be validated safely: the setting, the reason, and the fix."""
    is_org = issuer_identifier.is_okta_org_server(issuer.issuer)
    if is_org and (issuer.validation in {"jwt", "hybrid"} or (issuer.validation == "auto" and issuer.client is None)):
        yield (
            f"issuer: {issuer.issuer} is an Okta org server, whose tokens only Okta can validate; set "
            "OKTA_OAUTH2_CLIENT_ID and OKTA_OAUTH2_CLIENT_SECRET and use introspection, or use a custom authorization "
            f"server, such as {issuer.issuer}/oauth2/default"
        )
    elif issuer.validation in {"introspection", "hybrid"} and issuer.client is None:
        yield (
            f"client_id: is not set, but {issuer.validation} validation must authenticate to {issuer.issuer}; "
            "set OKTA_OAUTH2_CLIENT_ID and OKTA_OAUTH2_CLIENT_SECRET"
        )
    elif not issuer.audiences and is_org:
        yield (
            "audience: is not set; the tokens of an Okta org server have the org as their audience, "
            f"so set OKTA_OAUTH2_AUDIENCE={issuer.issuer}"
        )
    elif not issuer.audiences:
        yield (
            f"audience: is not set, so tokens for any API of {issuer.issuer} would be accepted; "
            "set OKTA_OAUTH2_AUDIENCE to the aud claim of your tokens"
        )


def trusted_issuer(table: IssuerSettings, program: BaseModel) -> TrustedIssuer:
    """Return the effective settings of an issuer: its own, or else those of the program."""
    overrides = {name: value for name, value in table if value is not None}
    effective = {name: overrides.get(name, getattr(program, name)) for name in IssuerSettings.model_fields}
    return TrustedIssuer(
        issuer=table.issuer,
        audiences=frozenset(table.audience or audience_at_okta(table.issuer)),
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
        accept_when_introspection_fails=effective["insecure_accept_when_introspection_fails"],
        accepts_introspection_without_audience=effective["insecure_accept_introspection_without_audience"],
        accepts_id_token_hashes=effective["insecure_accept_id_token_hashes"],
    )


def issuer_of_org(org_url: str, server_id: str) -> str:
    """Return the issuer of an authorization server of an Okta org; ``org`` is the org server."""
    base = org_url if "://" in org_url else f"https://{org_url}"
    base = base.rstrip("/")
    return base if server_id == "org" else f"{base}/oauth2/{server_id}"
