"""Redirect URIs: registration, and comparison by character except for ``:*`` (RFC 6749 section 3.1.2)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Annotated
from urllib.parse import urlsplit

from msgspec import Meta

# Excludes characters that browsers interpret differently: a backslash as a slash, line ends as nothing.
_PLAIN = re.compile(r"[!-\[\]-~]{1,2000}")

_HOST_AND_PORT = re.compile(r"[A-Za-z0-9.:\[\]_-]*")

ANY_PORT = ":*"

_SCRIPT_SCHEMES = frozenset({"javascript", "data", "vbscript"})


def check_redirect_uris(member: str, uris: Iterable[str]) -> None:
    """Check that a browser can be redirected to each URI of a member, and does not run it as a script.

    Raises:
        ValueError: a URI is invalid or has a script scheme.
    """
    for uri in uris:
        if problem := _uri_problem(uri):
            raise ValueError(
                f"{member} holds {uri!r}, which {problem}; expected something like https://app.test/callback"
            )


def is_registered(uri: str, registered: Iterable[str]) -> bool:
    """Return whether a URI matches a registered one.

    A registered URI that ends with ``:*`` matches any port and path of its scheme and host, for programs and tests that
    listen on a free port (RFC 8252 section 7.3).
    """
    if not _PLAIN.fullmatch(uri) or "#" in uri:
        return False
    return any(_matches_host(uri, known) if known.endswith(ANY_PORT) else uri == known for known in registered)


def csp_origin(uri: str) -> str:
    """Return the origin of a URI for a content security policy; for an app's own scheme only the scheme."""
    parts = urlsplit(uri)
    # A semicolon in a registered host would inject a directive.
    if not _HOST_AND_PORT.fullmatch(parts.netloc):
        return "'none'"
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else f"{parts.scheme}:"


def form_action_sources(uri: str) -> str:
    """Return the ``form-action`` sources for a form that redirects to a client.

    Browsers apply the policy to all following redirects, and a client may redirect to an unregistered origin, so the
    policy names schemes only.
    """
    scheme = urlsplit(uri).scheme
    return "http: https:" if scheme in ("http", "https") else f"http: https: {scheme}:"


def _uri_problem(uri: str) -> str | None:
    scheme = uri.partition(":")[0].lower()
    if scheme in _SCRIPT_SCHEMES:
        return "would run as a script"
    if not _PLAIN.fullmatch(uri):
        return "has characters that a URI cannot have"
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
        parts.port  # noqa: B018  # raises ValueError for an invalid port
    except ValueError:
        return False
    return (parts.scheme, parts.hostname) == (wanted.scheme, wanted.hostname) and parts.username is None


RedirectUri = Annotated[str, Meta(pattern=r"^[A-Za-z][A-Za-z0-9+.-]*:[!-~]{1,2000}\Z")]
"""A URI of printable ASCII, because it is inserted into headers and pages."""
