"""Describes how the issuer of a token differs from a trusted issuer that looks similar."""

from __future__ import annotations

import urllib.parse
from collections.abc import Iterator
from urllib.parse import SplitResult

from service.tokens.issuer_identifier import find_tenant, is_okta_custom_server


def describe_issuer_difference(seen: str, trusted: str) -> str:
    """Return the difference of an issuer from a similar trusted one; empty if they are equal or not similar."""
    try:
        ours, theirs = urllib.parse.urlsplit(trusted), urllib.parse.urlsplit(seen)
        same_host = (theirs.hostname, theirs.port) == (ours.hostname, ours.port)
    except ValueError:  # the token may contain any text
        return ""
    tenant = find_tenant(seen)
    if tenant is not None and tenant == find_tenant(trusted) and not same_host:
        return (
            f"it is of the same Entra tenant, {tenant}, but of the other version: the manifest of the API decides the "
            "version, and a table for each issuer accepts both"
        )
    same_path = theirs.path.rstrip("/").lower() == ours.path.rstrip("/").lower() != ""
    if not (same_host or same_path or theirs.hostname == ours.hostname) or seen == trusted:
        return ""
    return "; ".join(_differences(theirs, ours)) or "the spelling differs"


def _differences(theirs: SplitResult, ours: SplitResult) -> Iterator[str]:
    if theirs.scheme != ours.scheme:
        yield f"it begins with {theirs.scheme}:// instead of {ours.scheme}://"
    if theirs.netloc.lower() != ours.netloc.lower():
        yield (
            f"it is on another host, {theirs.netloc} instead of {ours.netloc}: another Okta org, or the same one "
            "under its other domain, since tokens name the domain of the token request"
        )
    yield from _path_differences(theirs.path, ours)
    if (theirs.netloc, theirs.path) != (ours.netloc, ours.path) and (theirs.netloc + theirs.path).lower() == (
        ours.netloc + ours.path
    ).lower():
        yield "upper and lower case differ"


def _path_differences(path: str, ours: SplitResult) -> Iterator[str]:
    bare, expected = path.rstrip("/").lower(), ours.path.rstrip("/").lower()
    if bare == expected:
        if path.endswith("/") != ours.path.endswith("/"):
            yield ("an extra slash at the end" if path.endswith("/") else "a missing slash at the end")
    elif bare == "" and is_okta_custom_server(ours.geturl()):
        yield "it is the org server of that Okta org instead of a custom authorization server"
    elif path.startswith("/oauth2/"):
        yield f"it is another authorization server there, {path!r} instead of {ours.path!r}"
    else:
        yield f"the path is {path!r} instead of {ours.path!r}"
