"""Asking a running fake issuer for a token: what ``python -m fakeissuer token`` does."""

from __future__ import annotations

import argparse
import json
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
    """Where to ask, and the members of the mint request."""

    url: str
    members: dict[str, Any]
    ca_file: str | None

    @classmethod
    def from_options(cls, options: argparse.Namespace) -> TokenRequestOptions:
        """Return the question that the command line asks.

        Raises:
            SettingsError: the URL is none, or a claim is not NAME=JSON.
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
    """Return the URL of a fake issuer, and the server that is meant if the URL is that of one.

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
    """Return name and value of a claim as it is typed, ``name=json``.

    Raises:
        SettingsError: there is no ``=``, no name before it, or no JSON behind it.
    """
    name, _, value = text.partition("=")
    expected = """expected NAME=JSON, a text in double quotes: --claim 'team="red"'"""
    problem = SettingsError([f"--claim: {text!r} is not a claim; {expected}"])
    if not name:
        raise problem
    try:
        return name, json.loads(value)
    except (ValueError, RecursionError) as exc:
        raise problem from exc


def request_token(options: TokenRequestOptions, control_token: str | None) -> str:
    """Return the token that a running fake issuer mints.

    Raises:
        TokenRequestError: nobody answers there, or the answer is a refusal.
        SettingsError: the file of certificates cannot be used.
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
            raise TokenRequestError(f"{options.url} refused: {_error_description(exc)}") from exc
    except (URLError, OSError) as exc:
        reason = getattr(exc, "reason", exc)
        raise TokenRequestError(f"nobody answers at {options.url} ({reason}); start one: python -m fakeissuer") from exc
    except (HTTPException, ValueError, KeyError, TypeError) as exc:
        raise TokenRequestError(f"{options.url} answered, but it is no fake issuer") from exc


def _trust(options: TokenRequestOptions) -> ssl.SSLContext | None:
    if not options.url.startswith("https"):
        return None
    try:
        return ssl.create_default_context(cafile=options.ca_file)
    except OSError as exc:  # an SSLError, for a file that holds no certificate, is one too
        expected = "expected the file that a fake issuer wrote for --tls --ca-file"
        raise SettingsError(
            [f"--ca-file: {options.ca_file} cannot be used: {exc.strerror or exc}; {expected}"]
        ) from exc


def _error_description(response: HTTPError) -> str:
    try:
        return str(json.load(response)["error_description"])
    except (ValueError, KeyError, TypeError):
        return f"HTTP {response.code}, and it is no fake issuer"
