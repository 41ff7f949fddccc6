"""The rules for the text of a token, before anything in it is looked at."""

from __future__ import annotations

from typing import Any

from service.errors import InvalidToken, Reason
from service.operations.doctor.context import ExplainContext
from service.operations.doctor.input import describe_pasted_text
from service.tokens import encoding
from service.tokens.presented import MAX_TOKEN_SIZE
from service.web.credentials.sources import parse_bearer

_PART_NAMES = ("header", "payload", "signature")
_OPAQUE = (
    "the token is opaque: only its issuer can judge it, by introspection, which needs OKTA_OAUTH2_CLIENT_ID and "
    "OKTA_OAUTH2_CLIENT_SECRET; or is it no access token? (refresh tokens and authorization codes are no JWTs)"
)
_BY_PARTS = {
    1: _OPAQUE,
    5: "five parts are an encrypted token, which only its recipient can read; have the issuer sign and not encrypt",
}


async def check_b64token(context: ExplainContext) -> None:
    """Refuse what is no bearer token at all."""
    context.found = f"{len(context.text)} characters"
    context.expected = "letters, digits and -._~+/ alone, and = at the end"
    context.advice = describe_pasted_text(context.text)
    parse_bearer(context.text)


async def check_size(context: ExplainContext) -> None:
    """Refuse what is too long to be read."""
    context.found = f"{len(context.text)} characters"
    context.expected = f"at most {context.settings.max_token_size}"
    context.advice = f"have the issuer put less into it; max_token_size can be set, and goes up to {MAX_TOKEN_SIZE}"
    _ = context.token


async def check_compact_jws(context: ExplainContext) -> None:
    """Refuse what is no JWS in compact serialization (RFC 7515 section 7.1)."""
    texts = context.text.split(".")
    context.found = f"{len(texts)} part" + ("s" if len(texts) > 1 else "")
    context.expected = "three parts in base64url, with dots between them"
    context.advice = _BY_PARTS.get(len(texts), "was it cut off, or joined with something, while it was copied?")
    if len(texts) != len(_PART_NAMES):
        raise InvalidToken(Reason.MALFORMED_TOKEN)
    context.advice = "base64url has no padding, no + and no /, and one spelling for one value; send it as it was issued"
    context.parts = [_decoded(context, name, text) for name, text in zip(_PART_NAMES, texts, strict=True)]


async def check_header_json(context: ExplainContext) -> None:
    """Refuse a header that is no JSON object, or one that two readers could understand in two ways."""
    context.advice = "the first part is no JOSE header: this is another sort of token, or a damaged one"
    context.header = _json(context, context.parts[0])
    context.found = f"{len(context.header)} members"


async def check_claims_json(context: ExplainContext) -> None:
    """Refuse claims that are no JSON object, or one that two readers could understand in two ways."""
    context.advice = "the second part is no JWT claims set: this is another sort of token, or a damaged one"
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
    context.expected = "one JSON object in UTF-8, each name in it once"
    try:
        return encoding.decode_json_object(data)
    except ValueError as exc:
        # A decoding error quotes what it cannot decode, which is a piece of the token.
        context.found = "it is not UTF-8" if isinstance(exc, UnicodeError) else str(exc)
        raise InvalidToken(Reason.MALFORMED_TOKEN) from None
