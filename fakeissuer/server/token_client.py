"""The client behind ``python -m fakeissuer token``: requests a token from a running fake issuer."""

from __future__ import annotations

import argparse
import json
import socket
import ssl
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from fakeissuer.errors import SettingsError, TokenRequestError

_TIMEOUT_S = 10


@dataclass(frozen=True, kw_only=True)
class TokenRequestOptions:
    """The URL of the fake issuer, and the members of the mint request."""

    url: str
    members: dict[str, Any]
    ca_file: str | None

    @classmethod
    def from_options(cls, options: argparse.Namespace) -> TokenRequestOptions:
        """Return the request that the command line describes.

        Raises:
            SettingsError: the URL is invalid, or a claim is not NAME=JSON.
        """
        url, server = split_issuer(options.issuer)
        members = {
            "server": options.server or server,
            "sub": options.sub,
            "scp": options.scope.split() if options.scope is not None else None,
            "expires_in": options.expires_in,
            "claims": dict(_read_claim(text) for text in options.claim) or None,
        }
        members = {name: value for name, value in members.items() if value is not None}
        return cls(url=url, members=members, ca_file=options.ca_file)


def split_issuer(url: str) -> tuple[str, str | None]:
    """Split an issuer URL into the base URL and the server id; without a server the id is None.

    Raises:
        SettingsError: it is not an http or https URL.
    """
    problem = SettingsError([f"--issuer: {url!r} is not a URL; expected something like http://127.0.0.1:9400"])
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as exc:
        raise problem from exc
    if parts.scheme not in ("http", "https") or not host:
        raise problem
    base, oauth2, server = url.rstrip("/").partition("/oauth2/")
    return base, server if oauth2 else None


def _read_claim(text: str) -> tuple[str, Any]:
    """Parse ``name=json`` from the command line.

    Raises:
        SettingsError: the text has no ``=``, no name or no valid JSON.
    """
    name, _, value = text.partition("=")
    expected = """expected NAME=JSON, strings in double quotes: --claim 'team="red"'"""
    problem = SettingsError([f"--claim: {text!r} is not a claim; {expected}"])
    if not name:
        raise problem
    try:
        return name, json.loads(value)
    except (ValueError, RecursionError) as exc:
        raise problem from exc


def request_token(options: TokenRequestOptions, control_token: str | None) -> str:
    """Request a token from a running fake issuer.

    Raises:
        TokenRequestError: there is no fake issuer at the URL, or it rejected the request.
        SettingsError: the CA file cannot be used.
    """
    headers = {"Content-Type": "application/json"}
    if control_token:
        headers["Authorization"] = f"Bearer {control_token}"
    body = json.dumps(options.members).encode()
    request = Request(f"{options.url}/_fake/tokens", body, headers)  # noqa: S310  # http or https, see split_issuer
    trust = _trust(options)
    try:
        with urlopen(request, timeout=_TIMEOUT_S, context=trust) as response:  # noqa: S310  # as above
            return str(json.load(response)["token"])
    except HTTPError as exc:
        with exc:
            raise TokenRequestError(f"{options.url} rejected the request: {_error_description(exc)}") from exc
    except (URLError, OSError) as exc:
        reason = getattr(exc, "reason", exc)
        raise TokenRequestError(f"cannot connect to {options.url} ({reason}); {_advise(reason)}") from exc
    except (HTTPException, ValueError, KeyError, TypeError) as exc:
        raise TokenRequestError(f"{options.url} is not a fake issuer; check --issuer") from exc


def _advise(reason: object) -> str:
    """Return what to do about a failed connection."""
    if isinstance(reason, ssl.SSLCertVerificationError):
        return "name the certificate of its CA: --ca-file"
    if isinstance(reason, ssl.SSLError):
        return "if it serves no TLS, write http:// in --issuer"
    if isinstance(reason, socket.gaierror):
        return "is the host in --issuer right?"
    if isinstance(reason, TimeoutError):
        return "it does not respond in time; is --issuer right?"
    return "start a fake issuer: python -m fakeissuer"


def _trust(options: TokenRequestOptions) -> ssl.SSLContext | None:
    if not options.url.startswith("https"):
        return None
    try:
        return ssl.create_default_context(cafile=options.ca_file)
    except OSError as exc:  # includes SSLError, for a file without a certificate
        expected = "expected the file that a fake issuer wrote for --tls --ca-file"
        raise SettingsError(
            [f"--ca-file: {options.ca_file} cannot be used: {exc.strerror or exc}; {expected}"]
        ) from exc


def _error_description(response: HTTPError) -> str:
    try:
        return str(json.load(response)["error_description"])
    except (ValueError, KeyError, TypeError):
        return f"HTTP {response.code}, and the URL is not a fake issuer"
