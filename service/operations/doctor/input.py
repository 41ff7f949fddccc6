"""What people paste where a token belongs: the token, and what stood around it."""

from __future__ import annotations

import re

_PREFIX = re.compile(r"(?:authorization\s*:\s*)?bearer\s+|authorization\s*:\s*", re.IGNORECASE)
_MISTAKES = (  # JSON comes first: it may well have white space and quotes in it
    (
        re.compile(r'^\s*\{.*"access_token"', re.DOTALL),
        "this is the issuer's whole answer; take access_token out of it",
    ),
    (re.compile(r"^\{"), "this is JSON; a token is sent in its compact form, three parts with dots between them"),
    (re.compile(r"\s"), "there is white space in it; was it copied over several lines? join them"),
    (re.compile("^[\"'].*[\"']$", re.DOTALL), "it stands in quotes; leave them out"),
    (re.compile(r"%[0-9A-Fa-f]{2}"), "it is percent-encoded; send it as it came from the issuer"),
    (re.compile(","), "there is a comma in it; send one token alone"),
)


def strip_pasted_text(text: str) -> tuple[str, list[str]]:
    """Return the token in a text that was pasted, and a remark on each thing that was left out around it."""
    remarks = []
    if (token := text.strip()) != text:
        remarks.append("White space around the token is left out; a client must not send it.")
    if prefix := _PREFIX.match(token):
        token = token[prefix.end() :].lstrip()
        remarks.append(
            "The name of the field or of the scheme before the token is left out: what follows it is judged."
        )
    return token, remarks


def describe_pasted_text(text: str) -> str:
    """Return what somebody probably did who sent characters that no token has, and what to do instead."""
    if not text:
        return "there is nothing there; give the token, or - and the token on standard input"
    known = (words for pattern, words in _MISTAKES if pattern.search(text))
    return next(known, "send the token as it came from the issuer, and nothing else")
