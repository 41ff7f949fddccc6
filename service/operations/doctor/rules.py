"""Every rule for a token, in the order in which it is asked."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from typing import NamedTuple

from service.operations.doctor import format_rules, signature_rules
from service.operations.doctor.claim_messages import ADVICE, describe_expected, describe_found
from service.operations.doctor.context import ExplainContext
from service.tokens.claims import CHECKS, ClaimCheck


class Rule(NamedTuple):
    """One rule: what it says in words for people, and what asks it.

    The question raises :class:`InvalidToken` or :class:`InvalidRequest` for no,
    and :class:`IssuerUnavailable` where nobody can tell.
    """

    description: str
    run: Callable[[ExplainContext], Awaitable[None]]


def _claim_rule(check: ClaimCheck) -> Rule:
    async def run(context: ExplainContext) -> None:
        claims = context.token.unverified_claims  # verified, from here on
        context.found = describe_found(check, claims, context.now)
        context.expected = describe_expected(check, context.rules, context.now)
        context.advice = ADVICE.get(check.check, "")
        check.check(claims, context.rules, context.now)

    return Rule(check.description, run)


def _all_rules() -> Iterator[Rule]:
    yield Rule("it is one word of the characters that tokens have", format_rules.check_b64token)
    yield Rule("it is small enough to be read", format_rules.check_size)
    yield Rule("it is a JWT: three parts, each in base64url", format_rules.check_compact_jws)
    yield Rule("its header is a JSON object", format_rules.check_header_json)
    yield Rule("its claims are a JSON object", format_rules.check_claims_json)
    yield Rule("its issuer is trusted", signature_rules.check_trusted_issuer)
    yield Rule("its type is that of an access token", signature_rules.check_token_type)
    header = signature_rules.check_header_parameters
    yield Rule(
        "it asks for no extension",
        header(("crit", "b64", "zip"), "none of them", "no extension is supported here; have the issuer leave it out"),
    )
    yield Rule(
        "its algorithm is allowed",
        header(("alg",), "", "if the issuer really signs with another one, name it in the setting algorithms"),
    )
    yield Rule(
        "its key ID is text",
        header(("kid",), "none, or a text that is not too long", "ask the issuer for a new token", last=True),
    )
    yield Rule("its key is one that its issuer publishes", signature_rules.find_key)
    yield Rule("its signature is right", signature_rules.check_signature)
    yield from map(_claim_rule, CHECKS)


RULES = tuple(_all_rules())
"""The last ones are the checks of :data:`service.tokens.claims.CHECKS`, one by one."""
