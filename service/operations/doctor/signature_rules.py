"""The rules for who made a token: its issuer, its header, its key, its signature."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from service.errors import InvalidToken, Reason
from service.operations.doctor.context import Examination, is_judged_here
from service.operations.doctor.formatting import shown
from service.operations.doctor.issuer_typos import describe_near_miss
from service.tokens import jws
from service.tokens.claims import check_type
from service.tokens.jose_header import check_header

__all__ = ["access_token_type", "header_parameters", "known_key", "right_signature", "trusted_issuer"]

_ORG_SERVER = (
    "this is a token of an Okta org server, made for Okta's own API, and only Okta can judge it: "
    "ask a custom authorization server for one, such as …/oauth2/default, or trust the org and let it be asked "
    "(OKTA_OAUTH2_CLIENT_ID, OKTA_OAUTH2_CLIENT_SECRET)"
)


async def trusted_issuer(exam: Examination) -> None:
    """Find the issuer that the token names among those that are trusted."""
    name = exam.read.unverified_issuer
    trusted = [one for one in exam.settings.trusted_issuers if is_judged_here(one)]
    exam.seen = shown(name) if name is not None else f"iss = {shown(exam.read.unverified_claims.get('iss'))}"
    exam.expected = " or ".join(shown(one.issuer) for one in trusted)
    exam.issuer = next((one for one in trusted if one.issuer == name), None)
    if exam.issuer is None:
        exam.advice = _about_stranger(exam, name or "")
        raise InvalidToken(Reason.UNKNOWN_ISSUER, claim="iss")


def _about_stranger(exam: Examination, name: str) -> str:
    if exam.jws.header.is_of_okta_org_token:
        return _ORG_SERVER
    misses = [(one.issuer, describe_near_miss(name, one.issuer)) for one in exam.settings.trusted_issuers]
    near = [f"beside {shown(issuer)}, {miss}" for issuer, miss in misses if miss]
    repair = "set OKTA_OAUTH2_ISSUER to the issuer of your tokens, character by character, or ask that one for tokens"
    return "; ".join([*near, repair])


async def access_token_type(exam: Examination) -> None:
    """Refuse a type that no access token has."""
    header = exam.jws.header
    exam.seen = f"typ = {shown(header.parameters['typ'])}" if "typ" in header.parameters else "no typ"
    exam.expected = "at+jwt" if exam.rules.strict_rfc9068 else "none, JWT or at+jwt"
    exam.advice = _ORG_SERVER if header.is_of_okta_org_token else "send the access token, and no other kind of token"
    check_type(header, exam.rules)


def header_parameters(
    names: tuple[str, ...], expected: str, advice: str, *, last: bool = False
) -> Callable[[Examination], Awaitable[None]]:
    """Return the rule for some parameters of the header; the last of these rules answers for all that are left."""

    async def rule(exam: Examination) -> None:
        header = exam.jws.header.parameters
        found = [f"{name} = {shown(header[name])}" for name in names if name in header]
        exam.seen = ", ".join(found) or f"no {' and no '.join(names)}"
        exam.expected = expected or " or ".join(sorted(exam.trusted.algorithms))
        exam.advice = advice
        try:
            exam.algorithm, exam.kid = check_header(exam.jws.header, algorithms=exam.trusted.algorithms)
        except InvalidToken as exc:
            if last or exc.claim in names:
                raise

    return rule


async def known_key(exam: Examination) -> None:
    """Find the key that the header names among those that the issuer publishes, asking the issuer for them."""
    remote = exam.toolbox.remote(exam.trusted).keys
    exam.seen = f"kid {shown(exam.kid)}" if exam.kid is not None else "no kid, so each key that fits is tried"
    exam.advice = (
        "the key was withdrawn, or another program made the token under this issuer's name: ask for a new token; "
        "python -m service check shows the keys that there are"
    )
    try:
        exam.keys = await remote.select(algorithm=exam.algorithm, kid=exam.kid)
    finally:
        published = remote.last.keys if remote.last else ()
        for_algorithm = sorted(shown(key.kid) for key in published if exam.algorithm in key.algorithms)
        exam.expected = f"one of the issuer's keys for {exam.algorithm}: {', '.join(for_algorithm) or 'it has none'}"
        await remote.close()


async def right_signature(exam: Examination) -> None:
    """Verify the signature over the exact bytes that were sent."""
    exam.seen = f"{len(exam.jws.signature)} bytes, {exam.algorithm}"
    exam.expected = f"a signature by {'that key' if len(exam.keys) == 1 else f'one of {len(exam.keys)} keys'}"
    exam.advice = "the token was changed after it was signed, or somebody else signed it: ask the issuer for a new one"
    jws.verify(exam.jws, algorithm=exam.algorithm, keys=exam.keys)
