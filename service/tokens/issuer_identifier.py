"""Checks of issuer identifiers (RFC 8414 section 2), and corrections of common mistakes with Okta's."""

from __future__ import annotations

import re
import urllib.parse
from collections.abc import Callable
from urllib.parse import SplitResult

from service.urls import is_loopback

_OKTA_HOST = re.compile(r"(^|\.)(okta|oktapreview|okta-emea|okta-gov)\.com$|(^|\.)okta\.mil$")
_OKTA_CUSTOM_PATH = re.compile(r"^/oauth2/[^/]+$")
_ENDPOINT = re.compile(r"^(/oauth2(?:/[^/]+)?)/v1(?:/.*)?$")
_PLACEHOLDER = re.compile(r"[{}<>$]|your-?_?okta-?_?domain", re.IGNORECASE)


def is_okta_custom_server(issuer: str) -> bool:
    """Return whether the issuer has the form of an Okta custom authorization server: ``…/oauth2/{id}``."""
    return _OKTA_CUSTOM_PATH.match(urllib.parse.urlsplit(issuer).path) is not None


def is_okta_org_server(issuer: str) -> bool:
    """Return whether the issuer is an Okta org server, whose access tokens only Okta can validate."""
    parts = urllib.parse.urlsplit(issuer)
    return _OKTA_HOST.search(parts.hostname or "") is not None and parts.path == ""


def find_mistakes(issuer: str) -> list[str]:
    """Return the mistakes in an issuer identifier and, as the last item, the correction; empty if there are none."""
    if not issuer or any(character.isspace() or character in "\"'" for character in issuer):
        return ["it is empty, or contains white space or quotes", "write the URL alone"]
    if _PLACEHOLDER.search(issuer):
        return ["it still contains a placeholder", "write your own domain there, such as https://dev-123456.okta.com"]
    try:
        parts = urllib.parse.urlsplit(issuer)
        _ = parts.port  # raises ValueError for an invalid port
    except ValueError:  # its message may quote a password
        return ["it is not a URL", "write https://, the domain and the path"]
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        return ["it is not an https URL", f"write https://{issuer.rpartition('://')[2].rpartition('@')[2]}"]
    mistakes, url = [], parts
    for mistake, correct in _CORRECTIONS.items():
        if (corrected := correct(url)) != url:
            mistakes.append(mistake)
            url = corrected
    return [*mistakes, f"write {urllib.parse.urlunsplit(url)}"] if mistakes else []


def _use_https(url: SplitResult) -> SplitResult:
    return url._replace(scheme="https") if url.scheme == "http" and not is_loopback(url.hostname) else url


def _drop_repeated_com(url: SplitResult) -> SplitResult:
    return url._replace(netloc=url.netloc.replace(".com.com", ".com"))


def _leave_admin_console(url: SplitResult) -> SplitResult:
    return url._replace(netloc=url.netloc.replace("-admin.", ".", 1)) if _OKTA_HOST.search(url.hostname or "") else url


def _drop_extras(url: SplitResult) -> SplitResult:
    return url._replace(netloc=url.netloc.rpartition("@")[2], query="", fragment="")


def _drop_document(url: SplitResult) -> SplitResult:
    return url._replace(path=url.path.partition("/.well-known/")[0])


def _drop_endpoint(url: SplitResult) -> SplitResult:
    return url._replace(path=_ENDPOINT.sub(r"\1", url.path))


def _drop_slash(url: SplitResult) -> SplitResult:
    """Drop the slash of Okta's issuers only; for other vendors it may be part of the identifier."""
    path = url.path.rstrip("/")
    return url._replace(path=path) if _OKTA_HOST.search(url.hostname or "") or _OKTA_CUSTOM_PATH.match(path) else url


def _add_server_id(url: SplitResult) -> SplitResult:
    return url._replace(path="/oauth2/default") if url.path == "/oauth2" else url


_CORRECTIONS: dict[str, Callable[[SplitResult], SplitResult]] = {
    "http:// can be forged on the way": _use_https,
    "the host ends twice in .com": _drop_repeated_com,
    "it is the address of Okta's admin console": _leave_admin_console,
    "an issuer has no user name, query or fragment (RFC 8414 section 2)": _drop_extras,
    "it is the address of the discovery document": _drop_document,
    "it is the address of an endpoint": _drop_endpoint,
    "Okta's issuers end without a slash": _drop_slash,
    "the ID of the authorization server is missing": _add_server_id,
}
