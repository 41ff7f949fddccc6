"""The rules for the text of a token, before anything in it is looked at."""

from __future__ import annotations

from typing import Any

from service.errors import InvalidToken, Reason
from service.operations.doctor.context import Examination
from service.operations.doctor.input import describe_wrapping
from service.tokens import base64url, strict_json
from service.tokens.presented import MAX_TOKEN_SIZE
from service.web.credentials.header import bearer

__all__ = ["one_word", "readable_claims", "readable_header", "small_enough", "three_parts"]

_PART_NAMES = ("header", "payload", "signature")
_OPAQUE = (
    "the token is opaque: only its issuer can judge it, by introspection, which needs OKTA_OAUTH2_CLIENT_ID and "
    "OKTA_OAUTH2_CLIENT_SECRET; or is it no access token? (refresh tokens and authorization codes are no JWTs)"
)
_BY_PARTS = {
    1: _OPAQUE,
    5: "five parts are an encrypted token, which only its recipient can read; have the issuer sign and not encrypt",
}


async def one_word(exam: Examination) -> None:
    """Refuse what is no bearer token at all."""
    exam.seen = f"{len(exam.text)} characters"
    exam.expected = "letters, digits and -._~+/ alone, and = at the end"
    exam.advice = describe_wrapping(exam.text)
    bearer(exam.text)


async def small_enough(exam: Examination) -> None:
    """Refuse what is too long to be read."""
    exam.seen = f"{len(exam.text)} characters"
    exam.expected = f"at most {exam.settings.max_token_size}"
    exam.advice = f"have the issuer put less into it; max_token_size can be set, and goes up to {MAX_TOKEN_SIZE}"
    _ = exam.read


async def three_parts(exam: Examination) -> None:
    """Refuse what is no JWS in compact serialization (RFC 7515 section 7.1)."""
    texts = exam.text.split(".")
    exam.seen = f"{len(texts)} part" + ("s" if len(texts) > 1 else "")
    exam.expected = "three parts in base64url, with dots between them"
    exam.advice = _BY_PARTS.get(len(texts), "was it cut off, or joined with something, while it was copied?")
    if len(texts) != len(_PART_NAMES):
        raise InvalidToken(Reason.MALFORMED)
    exam.advice = "base64url has no padding, no + and no /, and one spelling for one value; send it as it was issued"
    exam.parts = [_decoded(exam, name, text) for name, text in zip(_PART_NAMES, texts, strict=True)]


async def readable_header(exam: Examination) -> None:
    """Refuse a header that is no JSON object, or one that two readers could understand in two ways."""
    exam.advice = "the first part is no JOSE header: this is another sort of token, or a damaged one"
    exam.header = _json(exam, exam.parts[0])
    exam.seen = f"{len(exam.header)} members"


async def readable_claims(exam: Examination) -> None:
    """Refuse claims that are no JSON object, or one that two readers could understand in two ways."""
    exam.advice = "the second part is no JWT claims set: this is another sort of token, or a damaged one"
    exam.claims = _json(exam, exam.parts[1])
    exam.seen = f"{len(exam.claims)} members"
    _ = exam.jws


def _decoded(exam: Examination, name: str, text: str) -> bytes:
    try:
        return base64url.decode(text.encode("ascii"))
    except ValueError as exc:
        exam.seen = f"the {name}: {exc}"
        raise InvalidToken(Reason.MALFORMED) from None


def _json(exam: Examination, data: bytes) -> dict[str, Any]:
    exam.expected = "one JSON object in UTF-8, each name in it once"
    try:
        return strict_json.read_object(data)
    except ValueError as exc:
        # A decoding error quotes what it cannot decode, which is a piece of the token.
        exam.seen = "it is not UTF-8" if isinstance(exc, UnicodeError) else str(exc)
        raise InvalidToken(Reason.MALFORMED) from None
