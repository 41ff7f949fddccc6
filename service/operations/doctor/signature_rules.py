"""The rules for who made a token: its issuer, its header, its key, its signature."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from service.errors import InvalidToken, Reason
from service.operations.doctor.context import ExplainContext, is_validated_locally
from service.operations.doctor.formatting import to_json
from service.operations.doctor.issuer_typos import describe_issuer_difference
from service.tokens import jws
from service.tokens.claims import check_type
from service.tokens.jose_header import check_header

_ORG_SERVER = (
    "this is a token of an Okta org server, made for Okta's own API, and only Okta can judge it: "
    "ask a custom authorization server for one, such as …/oauth2/default, or trust the org and let it be asked "
    "(OKTA_OAUTH2_CLIENT_ID, OKTA_OAUTH2_CLIENT_SECRET)"
)


async def check_trusted_issuer(context: ExplainContext) -> None:
    """Find the issuer that the token names among those that are trusted."""
    name = context.token.unverified_issuer
    trusted = [one for one in context.settings.trusted_issuers if is_validated_locally(one)]
    context.found = (
        to_json(name) if name is not None else f"iss = {to_json(context.token.unverified_claims.get('iss'))}"
    )
    context.expected = " or ".join(to_json(one.issuer) for one in trusted)
    context.issuer = next((one for one in trusted if one.issuer == name), None)
    if context.issuer is None:
        context.advice = _explain_unknown_issuer(context, name or "")
        raise InvalidToken(Reason.UNKNOWN_ISSUER, claim="iss")


def _explain_unknown_issuer(context: ExplainContext, name: str) -> str:
    if context.jws.header.is_of_okta_org_token:
        return _ORG_SERVER
    differences = [
        (one.issuer, describe_issuer_difference(name, one.issuer)) for one in context.settings.trusted_issuers
    ]
    hints = [f"beside {to_json(issuer)}, {miss}" for issuer, miss in differences if miss]
    fix = "set OKTA_OAUTH2_ISSUER to the issuer of your tokens, character by character, or ask that one for tokens"
    return "; ".join([*hints, fix])


async def check_token_type(context: ExplainContext) -> None:
    """Refuse a type that no access token has."""
    header = context.jws.header
    context.found = f"typ = {to_json(header.parameters['typ'])}" if "typ" in header.parameters else "no typ"
    context.expected = "at+jwt" if context.rules.requires_rfc9068 else "none, JWT or at+jwt"
    context.advice = _ORG_SERVER if header.is_of_okta_org_token else "send the access token, and no other kind of token"
    check_type(header, context.rules)


def check_header_parameters(
    names: tuple[str, ...], expected: str, advice: str, *, last: bool = False
) -> Callable[[ExplainContext], Awaitable[None]]:
    """Return the rule for some parameters of the header; the last of these rules answers for all that are left."""

    async def rule(context: ExplainContext) -> None:
        header = context.jws.header.parameters
        found = [f"{name} = {to_json(header[name])}" for name in names if name in header]
        context.found = ", ".join(found) or f"no {' and no '.join(names)}"
        context.expected = expected or " or ".join(sorted(context.trusted.algorithms))
        context.advice = advice
        try:
            context.algorithm, context.kid = check_header(context.jws.header, algorithms=context.trusted.algorithms)
        except InvalidToken as exc:
            if last or exc.claim in names:
                raise

    return rule


async def find_key(context: ExplainContext) -> None:
    """Find the key that the header names among those that the issuer publishes, asking the issuer for them."""
    key_set = context.validator_context.issuer(context.trusted).keys
    context.found = (
        f"kid {to_json(context.kid)}" if context.kid is not None else "no kid, so each key that fits is tried"
    )
    context.advice = (
        "the key was withdrawn, or another program made the token under this issuer's name: ask for a new token; "
        "python -m service check shows the keys that there are"
    )
    try:
        context.keys = await key_set.select(algorithm=context.algorithm, kid=context.kid)
    finally:
        published = key_set.last.keys if key_set.last else ()
        for_algorithm = sorted(to_json(key.kid) for key in published if context.algorithm in key.algorithms)
        context.expected = (
            f"one of the issuer's keys for {context.algorithm}: {', '.join(for_algorithm) or 'it has none'}"
        )
        await key_set.close()


async def check_signature(context: ExplainContext) -> None:
    """Verify the signature over the exact bytes that were sent."""
    context.found = f"{len(context.jws.signature)} bytes, {context.algorithm}"
    context.expected = f"a signature by {'that key' if len(context.keys) == 1 else f'one of {len(context.keys)} keys'}"
    context.advice = (
        "the token was changed after it was signed, or somebody else signed it: ask the issuer for a new one"
    )
    jws.verify(context.jws, algorithm=context.algorithm, keys=context.keys)
