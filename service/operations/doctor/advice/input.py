"""Extracts a token from pasted text, and describes common mistakes."""

from __future__ import annotations

import re

_PREFIX = re.compile(r"(?:authorization\s*:\s*)?bearer\s+|authorization\s*:\s*", re.IGNORECASE)
_MISTAKES = (  # JSON comes first: it may contain white space and quotes
    (
        re.compile(r'^\s*\{.*"access_token"', re.DOTALL),
        "this is the issuer's whole response; use the value of access_token",
    ),
    (re.compile(r"^\{"), "this is JSON; a token is sent in compact form, three parts separated by dots"),
    (re.compile(r"\s"), "it contains white space; was it copied over several lines? join them"),
    (re.compile("^[\"'].*[\"']$", re.DOTALL), "it is in quotes; leave them out"),
    (re.compile(r"%[0-9A-Fa-f]{2}"), "it is percent-encoded; send it exactly as issued"),
    (re.compile(","), "it contains a comma; send one token"),
    (
        re.compile(r"=\."),
        (
            "its parts are padded, as AWS load balancers write x-amzn-oidc-data, which is no access token; "
            "send the token in x-amzn-oidc-accesstoken"
        ),
    ),
)


def strip_pasted_text(text: str) -> tuple[str, list[str]]:
    """Return the token in a pasted text, and a remark on each text that was removed."""
    remarks = []
    if (token := text.strip()) != text:
        remarks.append("White space around the token was removed; a client must not send it.")
    if prefix := _PREFIX.match(token):
        token = token[prefix.end() :].lstrip()
        remarks.append("The header name or scheme before the token was removed.")
    return token, remarks


def describe_pasted_text(text: str) -> str:
    """Return the probable mistake in a text that is no token, and its correction."""
    if not text:
        return "it is empty; give the token, or - and the token on standard input"
    known = (words for pattern, words in _MISTAKES if pattern.search(text))
    return next(known, "send only the token, exactly as issued")
