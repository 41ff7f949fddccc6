"""The rules of ``explain``, in the order in which the service applies them."""

from __future__ import annotations

from collections.abc import Iterator

from service.operations.doctor import format_rules, signature_rules
from service.operations.doctor.claim_rules import check_claim, check_strings
from service.operations.doctor.context import Rule
from service.tokens.claims import CHECKS


def _all_rules() -> Iterator[Rule]:
    yield Rule("it consists of the characters of a bearer token", format_rules.check_b64token)
    yield Rule("it is within the size limit", format_rules.check_size)
    yield Rule("it is a JWT: three parts in base64url", format_rules.check_compact_jws)
    yield Rule("its header is a JSON object", format_rules.check_header_json)
    yield Rule("its claims are a JSON object", format_rules.check_claims_json)
    yield Rule("its issuer is trusted", signature_rules.check_trusted_issuer)
    yield Rule("its type is that of an access token", signature_rules.check_token_type)
    header = signature_rules.check_header_parameters
    yield Rule(
        "it requires no extension",
        header(
            ("crit", "b64", "zip"), "none of them", "no extension is supported; configure the issuer to leave it out"
        ),
    )
    yield Rule(
        "its algorithm is allowed",
        header(("alg",), "", "if the issuer signs with another algorithm, add it to the setting algorithms"),
    )
    yield Rule(
        "its key ID is a string",
        header(("kid",), "none, or a string of limited length", "request a new token", last=True),
    )
    yield Rule("its key is published by the issuer", signature_rules.find_key)
    yield Rule("its signature is valid", signature_rules.check_signature)
    for check in CHECKS:
        yield Rule(check.description, check_claim(check))
    yield Rule("its subject, ID, client and scopes are strings", check_strings)


RULES = tuple(_all_rules())
"""The rules before the last one are the checks in :data:`service.tokens.claims.CHECKS`."""
