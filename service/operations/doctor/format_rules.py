"""The rules for the format of a token: characters, size, JWS parts, JSON."""

from __future__ import annotations

from typing import Any

from service.errors import InvalidToken, Reason
from service.operations.doctor.context import ExplainContext
from service.operations.doctor.input import describe_pasted_text
from service.tokens import encoding
from service.tokens.presented import MAX_TOKEN_SIZE
from service.web.credentials.sources import parse_token

_PART_NAMES = ("header", "payload", "signature")
_OPAQUE = (
    "the token is opaque: it can only be introspected, which requires OKTA_OAUTH2_CLIENT_ID and "
    "OKTA_OAUTH2_CLIENT_SECRET; or is it no access token? (refresh tokens and authorization codes are no JWTs)"
)
_BY_PARTS = {
    1: _OPAQUE,
    5: "five parts are an encrypted token, which is not supported; configure the issuer to sign its tokens only",
}


async def check_b64token(context: ExplainContext) -> None:
    """Check the characters of a bearer token (RFC 6750 section 2.1)."""
    context.found = f"{len(context.text)} characters"
    context.expected = "only letters, digits and -._~+/, and = at the end"
    context.advice = describe_pasted_text(context.text)
    parse_token(context.text)


async def check_size(context: ExplainContext) -> None:
    """Check the size."""
    context.found = f"{len(context.text)} characters"
    context.expected = f"at most {context.settings.max_token_size}"
    context.advice = f"configure the issuer to add fewer claims; max_token_size can be at most {MAX_TOKEN_SIZE}"
    _ = context.token


async def check_compact_jws(context: ExplainContext) -> None:
    """Check the three parts of a compact JWS (RFC 7515 section 7.1)."""
    texts = context.text.split(".")
    context.found = f"{len(texts)} part" + ("s" if len(texts) > 1 else "")
    context.expected = "three parts in base64url, separated by dots"
    context.advice = _BY_PARTS.get(len(texts), "was it truncated, or joined with other text, when it was copied?")
    if len(texts) != len(_PART_NAMES):
        raise InvalidToken(Reason.MALFORMED_TOKEN)
    context.advice = "base64url has no padding, no + and no /; send the token exactly as it was issued"
    context.parts = [_decoded(context, name, text) for name, text in zip(_PART_NAMES, texts, strict=True)]


async def check_header_json(context: ExplainContext) -> None:
    """Check that the header is one unambiguous JSON object."""
    context.advice = "the first part is no JOSE header: this is another kind of token, or a damaged one"
    context.header = _json(context, context.parts[0])
    context.found = f"{len(context.header)} members"


async def check_claims_json(context: ExplainContext) -> None:
    """Check that the claims are one unambiguous JSON object."""
    context.advice = "the second part is no JWT claims set: this is another kind of token, or a damaged one"
    context.claims = _json(context, context.parts[1])
    context.found = f"{len(context.claims)} members"
    _ = context.jws


def _decoded(context: ExplainContext, name: str, text: str) -> bytes:
    try:
        return encoding.decode_base64url(text.encode("ascii"))
    except ValueError as exc:
        context.found = f"the {name}: {exc}"
        raise InvalidToken(Reason.MALFORMED_TOKEN) from None


def _json(context: ExplainContext, data: bytes) -> dict[str, Any]:
    context.expected = "one JSON object in UTF-8, with each name once"
    try:
        return encoding.decode_json_object(data)
    except ValueError as exc:
        # A decoding error quotes the bytes, which are part of the token.
        context.found = "it is not UTF-8" if isinstance(exc, UnicodeError) else str(exc)
        raise InvalidToken(Reason.MALFORMED_TOKEN) from None
