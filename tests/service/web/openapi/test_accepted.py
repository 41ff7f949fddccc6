from __future__ import annotations

import pytest
from pydantic import SecretStr

from service import Settings
from service.settings.issuers import IssuerSettings
from service.web.openapi.accepted import AcceptedTokens
from service.web.policy.requirements import Requirements

ISSUERS = ("https://a.example/", "https://b.example/")


def test_each_issuer_has_its_own_mode() -> None:
    tables = (
        IssuerSettings(issuer=ISSUERS[0], audience=("a",), dpop="off"),
        IssuerSettings(issuer=ISSUERS[1], audience=("b",)),
    )
    tokens = AcceptedTokens.of(Settings(issuers=tables, dpop="required", dpop_algorithms=("ES256",)))
    assert {ISSUERS[0]: "off", ISSUERS[1]: "required"} == tokens.modes
    assert (("ES256",), False) == (tokens.proof_algorithms, tokens.reads_certificates)


def test_certificates_are_read_if_a_source_of_them_is_configured() -> None:
    settings = Settings(
        issuer=ISSUERS[0], audience=("a",), admin_token=SecretStr("operators-only-0123456789-abcdefghij"),
        trusted_proxies=("10.0.0.1",),
        client_certificate_header="Client-Cert",
    )  # fmt: skip
    assert AcceptedTokens.of(settings).reads_certificates


@pytest.mark.parametrize(
    ("modes", "of_handler", "bearer", "dpop", "issuers"),
    [
        (("off", "off"), None, True, False, [0, 1]),
        (("off", "required"), None, True, True, [0]),
        (("required", "required"), None, False, True, []),
        (("required", "required"), "allowed", True, True, [0, 1]),
        (("off", "off"), "required", False, True, []),
    ],
)
def test_the_mode_of_a_handler_replaces_those_of_the_issuers(
    modes: tuple[str, str], of_handler: str | None, issuers: list[int], *, bearer: bool, dpop: bool
) -> None:
    tokens = AcceptedTokens(modes=dict(zip(ISSUERS, modes, strict=True)), proof_algorithms=("ES256",))
    requirements = Requirements(dpop=of_handler)
    schemes = tokens.schemes_for(requirements)
    assert (bearer, dpop) == (schemes.bearer, bool(schemes.dpop_algorithms))
    assert issuers == tokens.bearer_issuers(requirements)
