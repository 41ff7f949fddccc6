"""Checks of issuer identifiers (RFC 8414 section 2), and the identifiers of Okta."""

from __future__ import annotations

import re
import urllib.parse
from collections.abc import Callable, Mapping
from types import MappingProxyType
from urllib.parse import SplitResult

from service.urls import is_loopback

OKTA_HOST = r"([^/]+\.)?((okta|oktapreview|okta-emea|okta-gov)\.com|okta\.mil)"
"""Matches the hosts of Okta, but not the custom domains of its customers."""

Correction = Callable[[SplitResult], SplitResult]
"""Corrects a URL with one mistake, and returns any other URL as it is."""

_TENANT = re.compile(r"(?<=/)[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}(?=/)", re.ASCII)
_OKTA_CUSTOM_PATH = re.compile(r"^/oauth2/[^/]+$")
_PLACEHOLDER = re.compile(r"[{}<>$]|your-?_?okta-?_?domain", re.IGNORECASE)


def is_okta_custom_server(issuer: str) -> bool:
    """Return whether the issuer is an Okta custom authorization server: ``…/oauth2/{id}`` on a host of Okta.

    A loopback address counts as one: an issuer with that path is most probably the fake one.
    """
    host = urllib.parse.urlsplit(issuer).hostname
    return has_okta_custom_path(issuer) and (is_okta_host(issuer) or is_loopback(host))


def is_okta_org_server(issuer: str) -> bool:
    """Return whether the issuer is an Okta org server, whose access tokens only Okta can validate."""
    return is_okta_host(issuer) and urllib.parse.urlsplit(issuer).path == ""


def is_okta_host(issuer: str) -> bool:
    """Return whether the host of the issuer is one of Okta's; a custom domain of a customer is not."""
    return re.fullmatch(OKTA_HOST, urllib.parse.urlsplit(issuer).hostname or "") is not None


def has_okta_custom_path(issuer: str) -> bool:
    """Return whether the path of the issuer is that of an Okta custom authorization server."""
    return _OKTA_CUSTOM_PATH.match(urllib.parse.urlsplit(issuer).path) is not None


def find_tenant(issuer: str) -> str | None:
    """Return the ID of the tenant in an issuer of Entra, or None if there is none."""
    match = _TENANT.search(issuer)
    return None if match is None else match.group()


def find_mistakes(
    issuer: str,
    *,
    corrections: Mapping[str, Correction] = MappingProxyType({}),
    accepts_http: bool = False,
    is_located: bool = False,
) -> list[str]:
    """Return the mistakes in an issuer identifier and, as the last item, the correction; empty if there are none.

    Args:
        corrections: The function that corrects each mistake with the issuers of one kind of server.
        accepts_http: Whether an issuer without TLS is accepted.
        is_located: Whether the issuer is only compared, and nothing is fetched from there; it need not be a URL then.
    """
    if not issuer or any(character.isspace() or character in "\"'" for character in issuer):
        return ["it is empty, or contains white space or quotes", "write the URL alone"]
    if _PLACEHOLDER.search(issuer):
        return ["it still contains a placeholder", "write your own domain there, such as https://dev-123456.okta.com"]
    try:
        parts = urllib.parse.urlsplit(issuer)
        _ = parts.port  # raises ValueError for an invalid port
    except ValueError:  # its message may quote a password
        return ["it is not a URL", "write https://, the domain and the path"]
    if is_located and "://" not in issuer:
        return []
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        return ["it is not an https URL", f"write https://{issuer.rpartition('://')[2].rpartition('@')[2]}"]
    mistakes, url = [], parts
    for mistake, correct in (_CORRECTIONS | dict(corrections)).items():
        if (accepts_http or is_located) and correct is _use_https:
            continue
        if (corrected := correct(url)) != url:
            mistakes.append(mistake)
            url = corrected
    return [*mistakes, f"write {urllib.parse.urlunsplit(url)}"] if mistakes else []


def _use_https(url: SplitResult) -> SplitResult:
    return url._replace(scheme="https") if url.scheme == "http" and not is_loopback(url.hostname) else url


def _drop_repeated_com(url: SplitResult) -> SplitResult:
    corrected = url._replace(netloc=url.netloc.replace(".com.com", ".com"))
    return corrected if is_okta_host(corrected.geturl()) else url


def _drop_extras(url: SplitResult) -> SplitResult:
    return url._replace(netloc=url.netloc.rpartition("@")[2], query="", fragment="")


def _drop_document(url: SplitResult) -> SplitResult:
    return url._replace(path=url.path.partition("/.well-known/")[0])


_CORRECTIONS: dict[str, Correction] = {
    "http:// can be forged on the way": _use_https,
    "the host ends twice in .com": _drop_repeated_com,
    "an issuer has no user name, query or fragment (RFC 8414 section 2)": _drop_extras,
    "it is the address of the discovery document": _drop_document,
}
