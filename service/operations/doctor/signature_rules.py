"""The rules for issuer, header, key and signature of a token."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from service.errors import InvalidToken, Reason
from service.operations.doctor.advice.confusions import describe_issuer_difference, explain_signature
from service.operations.doctor.context import ExplainContext, is_validated_locally
from service.operations.doctor.formatting import to_json
from service.tokens import jws
from service.tokens.token_kinds import check_type

_ORG_SERVER = (
    "this is a token of an Okta org server, intended for Okta's own APIs, and only Okta can validate it: "
    "request one from a custom authorization server, such as …/oauth2/default, or set issuer to the org, and client_id "
    "and client_secret to introspect its tokens"
)


async def check_trusted_issuer(context: ExplainContext) -> None:
    """Find the issuer of the token among the trusted ones."""
    name = context.token.unverified_issuer
    trusted = [issuer for issuer in context.settings.trusted_issuers if is_validated_locally(issuer)]
    context.found = (
        to_json(name) if name is not None else f"iss = {to_json(context.token.unverified_claims.get('iss'))}"
    )
    context.expected = " or ".join(to_json(issuer.profile.token_issuer) for issuer in trusted)
    context.issuer = next((issuer for issuer in trusted if issuer.profile.token_issuer == name), None)
    if context.issuer is None:
        context.advice = _explain_unknown_issuer(context, name or "")
        raise InvalidToken(Reason.UNKNOWN_ISSUER, claim="iss")


def _explain_unknown_issuer(context: ExplainContext, name: str) -> str:
    if context.jws.header.is_of_okta_org_token:
        return _ORG_SERVER
    differences = [
        (trusted.profile.token_issuer, describe_issuer_difference(name, trusted.profile.token_issuer))
        for trusted in context.settings.trusted_issuers
    ]
    hints = [f"compared with {to_json(issuer)}, {difference}" for issuer, difference in differences if difference]
    fix = f"set issuer to {to_json(name)}, if its tokens are for this API, or request tokens from the trusted issuer"
    return "; ".join([*hints, fix])


async def check_token_type(context: ExplainContext) -> None:
    """Check the type of the token."""
    header = context.jws.header
    context.found = f"typ = {to_json(header.parameters['typ'])}" if "typ" in header.parameters else "no typ"
    context.expected = "at+jwt" if context.rules.requires_rfc9068 else "none, JWT or at+jwt"
    context.advice = _ORG_SERVER if header.is_of_okta_org_token else "send the access token instead"
    if context.rules.requires_rfc9068 and header.typ in {"", "jwt"}:
        context.advice = "configure the issuer to send the type at+jwt, or set token_profile to lenient"
    check_type(header, context.rules)


def check_header_parameters(
    names: tuple[str, ...], expected: str, advice: str, *, last: bool = False
) -> Callable[[ExplainContext], Awaitable[None]]:
    """Return the rule for some header parameters; the last of these rules reports every remaining error."""

    async def rule(context: ExplainContext) -> None:
        header = context.jws.header.parameters
        found = [f"{name} = {to_json(header[name])}" for name in names if name in header]
        context.found = ", ".join(found) or f"no {' and no '.join(names)}"
        context.expected = expected or " or ".join(sorted(context.trusted.algorithms))
        context.advice = advice
        try:
            context.algorithm, context.kid = jws.check_header(context.jws.header, algorithms=context.trusted.algorithms)
        except InvalidToken as exc:
            if last or exc.claim in names:
                raise

    return rule


async def find_key(context: ExplainContext) -> None:
    """Find the key of the header in the issuer's key set, which may be fetched."""
    key_set = context.validator_context.issuer(context.trusted).keys
    context.found = (
        f"kid {to_json(context.kid)}" if context.kid is not None else "no kid, so every suitable key is tried"
    )
    context.advice = "the key was withdrawn, or the token is forged: request a new token"
    try:
        context.keys = await key_set.select(algorithm=context.algorithm, kid=context.kid)
    except InvalidToken:
        why = key_set.last.explain_absence(algorithm=context.algorithm, kid=context.kid) if key_set.last else ""
        context.found = f"{context.found}; {why}"
        if key_set.last and any(key.kid == context.kid is not None for key in key_set.last.skipped):
            context.advice = "correct that key at the issuer, or write its key set into a file, and set keys_file to it"
        raise
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
    context.advice = explain_signature(context.jws.header.parameters, profile=context.trusted.profile.server.name)
    jws.verify(context.jws, algorithm=context.algorithm, keys=context.keys)
