"""Redirect URIs: registration, and comparison by character except for ``:*`` (RFC 6749 section 3.1.2)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Annotated
from urllib.parse import urlsplit

from msgspec import Meta

# What a browser reads otherwise than we do: a backslash is a slash to it, and line ends are nothing.
_PLAIN = re.compile(r"[!-\[\]-~]{1,2000}")

_HOST_AND_PORT = re.compile(r"[A-Za-z0-9.:\[\]_-]*")

ANY_PORT = ":*"

_SCRIPT_SCHEMES = frozenset({"javascript", "data", "vbscript"})


def check_redirect_uris(member: str, uris: Iterable[str]) -> None:
    """Check that a browser can be sent to each of the URIs in the member of this name, and does no more than go there.

    Raises:
        ValueError: it cannot, or would run one as a script in the place of a page.
    """
    for uri in uris:
        if problem := _uri_problem(uri):
            raise ValueError(
                f"{member} holds {uri!r}, which {problem}; expected something like https://app.test/callback"
            )


def is_registered(uri: str, registered: Iterable[str]) -> bool:
    """Tell whether a client may be sent to this URI.

    A registered one that ends with ``:*`` stands for any port and path of that scheme and host, for programs and tests
    that listen where they can (RFC 8252 section 7.3).
    """
    if not _PLAIN.fullmatch(uri) or "#" in uri:
        return False
    return any(_matches_host(uri, known) if known.endswith(ANY_PORT) else uri == known for known in registered)


def csp_origin(uri: str) -> str:
    """Return the origin of a URI as a content security policy names it; of an app's own scheme there is just that."""
    parts = urlsplit(uri)
    # A semicolon in a registered host would end the directive and begin one of the client's own.
    if not _HOST_AND_PORT.fullmatch(parts.netloc):
        return "'none'"
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else f"{parts.scheme}:"


def form_action_sources(uri: str) -> str:
    """Return what a form may lead to that ends with a client, as a content security policy names it.

    A browser holds each redirect that follows the form against this, and a client may send its user on to a front end
    of another origin, which it has registered nowhere; so only schemes are named.
    """
    scheme = urlsplit(uri).scheme
    return "http: https:" if scheme in ("http", "https") else f"http: https: {scheme}:"


def _uri_problem(uri: str) -> str | None:
    scheme = uri.partition(":")[0].lower()
    if scheme in _SCRIPT_SCHEMES:
        return "would run as a script"
    if not _PLAIN.fullmatch(uri):
        return "has characters that are none of a URI"
    if "#" in uri:
        return "has a fragment (RFC 6749 section 3.1.2 forbids it)"
    try:
        parts = urlsplit(uri.removesuffix(ANY_PORT))
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "cannot be parsed"
    return "names no host" if host is None and (scheme in ("http", "https") or uri.endswith(ANY_PORT)) else None


def _matches_host(uri: str, pattern: str) -> bool:
    wanted = urlsplit(pattern.removesuffix(ANY_PORT))
    try:
        parts = urlsplit(uri)
        parts.port  # noqa: B018  # a port that is no number is found out by asking for it
    except ValueError:
        return False
    return (parts.scheme, parts.hostname) == (wanted.scheme, wanted.hostname) and parts.username is None


RedirectUri = Annotated[str, Meta(pattern=r"^[A-Za-z][A-Za-z0-9+.-]*:[!-~]{1,2000}\Z")]
"""A URI of printable ASCII: it goes into a header and into a page."""
