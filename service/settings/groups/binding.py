"""The settings of tokens that are bound to a key of the client."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr

from service.settings.files import CAFile
from service.settings.profiles.texts import Texts, split_list
from service.tokens.binding.proofs import PROOF_ALGORITHMS

_MIN_SECRET_LENGTH = 32
_FIELD_NAME = re.compile(r"[A-Za-z0-9-]+", re.ASCII)


def _check_algorithms(algorithms: tuple[str, ...]) -> tuple[str, ...]:
    if not algorithms or not set(algorithms) <= set(PROOF_ALGORITHMS):
        raise ValueError(f"expected some of {', '.join(PROOF_ALGORITHMS)}, which clients choose from")
    return algorithms


def _check_secrets(secrets: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
    if any(len(secret.get_secret_value()) < _MIN_SECRET_LENGTH for secret in secrets):
        raise ValueError(f"a secret is shorter than {_MIN_SECRET_LENGTH} characters; make one: openssl rand -hex 32")
    return secrets


def _check_field_name(name: str) -> str:
    if not _FIELD_NAME.fullmatch(name):
        raise ValueError(f"{name!r} is not the name of a header field; expected one such as Client-Cert")
    return name.lower()


DPoPMode = Literal["off", "allowed", "required"]
Secrets = Annotated[tuple[SecretStr, ...], BeforeValidator(split_list), AfterValidator(_check_secrets)]


class BindingSettings(BaseModel):
    """The part of the settings that concerns the proof of possession of a token's key."""

    model_config = ConfigDict(defer_build=True)

    dpop: DPoPMode = "allowed"
    """Whether tokens may be bound by DPoP: ``off``, ``allowed``, or ``required``, which rejects bearer tokens."""
    dpop_nonce: bool = False
    """Whether a DPoP proof needs a nonce of this service, so that no proof can be made in advance."""
    dpop_nonce_secrets: Secrets = ()
    """The secrets that make these nonces, the current one first; derived from the secret of the cache if not set."""
    dpop_algorithms: Annotated[Texts, AfterValidator(_check_algorithms)] = PROOF_ALGORITHMS
    """The accepted algorithms of DPoP proofs."""
    dpop_max_age: Annotated[float, Field(gt=0, le=600)] = 60.0
    """How long a DPoP proof is accepted after its ``iat``."""
    dpop_max_future: Annotated[float, Field(ge=0, le=60)] = 5.0
    """How far the ``iat`` of a DPoP proof may lie in the future, since the clocks of clients differ."""
    dpop_requires_cache: bool = False
    """Whether DPoP proofs are rejected with 503 while the shared cache, which records used proofs, is unavailable."""
    client_ca: CAFile | None = None
    """A file of CA certificates in PEM for client certificates, to which tokens may be bound; requires ``certfile``."""
    client_certificate_header: Annotated[str, AfterValidator(_check_field_name)] | None = None
    """The header field in which a trusted proxy reports client certificates; requires ``trusted_proxies``."""
