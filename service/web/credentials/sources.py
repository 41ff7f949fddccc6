"""The places of a request that may hold its token: header, form, query (RFC 6750 section 2), cookie, others."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence

from tornado.httputil import HTTPServerRequest

from service.binding import SCHEME
from service.errors import InvalidRequest, Reason
from service.tokens.credentials import Credentials
from service.web.credentials.proxy_headers import PROXY_HEADERS, proxy_header_source

TokenSource = Callable[[HTTPServerRequest], Credentials | None]
"""Returns the token in one place of a request, or None if there is none."""

METHODS_SUPPORTED: Mapping[str, str] = {"header": "header", "form": "body", "query": "query"}
"""The name of each source in the metadata (RFC 9728 section 2), which has none for the others."""

FIELD = "access_token"
"""The name of the token in a form and in a query."""

_B64TOKEN = re.compile(r"[A-Za-z0-9\-._~+/]+=*", re.ASCII)
_SCHEMES = {"bearer": "Bearer", "dpop": SCHEME}
_FORM = "application/x-www-form-urlencoded"
_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})


def read_credentials(request: HTTPServerRequest, sources: Sequence[TokenSource]) -> Credentials | None:
    """Return the credentials of a request, or None if it has none in any of these places.

    Raises:
        InvalidRequest: A token is malformed, or there is more than one (RFC 6750 section 2).
    """
    credentials: Credentials | None = None
    for source in sources:
        candidate = source(request)
        if candidate is not None:
            if credentials is not None:
                # An attacker may have added the second token, so neither of them is safe to use.
                raise InvalidRequest(Reason.SEVERAL_CREDENTIALS, "tokens in more than one place")
            credentials = candidate
    return credentials


def read_header(request: HTTPServerRequest) -> Credentials | None:
    """Return the token of the header ``Authorization``, or None for a scheme other than ``Bearer`` and ``DPoP``.

    RFC 6750 section 2.1 and RFC 9449 section 7.1 define the field.

    Raises:
        InvalidRequest: There are two header fields, or the token is malformed (RFC 6750 section 3.1).
    """
    fields = request.headers.get_list("Authorization")
    if len(fields) > 1:
        # A proxy could check one of them and this service the other.
        raise InvalidRequest(Reason.SEVERAL_CREDENTIALS, f"{len(fields)} Authorization fields")
    if not fields:
        return None
    scheme, _, token = fields[0].partition(" ")
    known = _SCHEMES.get(scheme.lower())
    return None if known is None else parse_token(token.strip(" "), scheme=known)


def read_form(request: HTTPServerRequest) -> Credentials | None:
    """Return the token of a form in the body of a POST, PUT or PATCH (RFC 6750 section 2.2).

    A body that the handler reads as a stream has not arrived yet, so no token is found in it.
    """
    media_type = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if request.method not in _WITH_BODY or media_type != _FORM:
        return None
    return _single("form", request.body_arguments.get(FIELD, []))


def read_query(request: HTTPServerRequest) -> Credentials | None:
    """Return the token of the query, which ends up in browser histories and logs (RFC 6750 section 2.3)."""
    return _single("query", request.query_arguments.get(FIELD, []))


def cookie_source(name: str) -> TokenSource:
    """Return the source that reads a cookie; its user must also check which site sent the request."""

    def read_cookie(request: HTTPServerRequest) -> Credentials | None:
        # Counted in the raw fields: Tornado keeps the last of two cookies, which a sibling domain may have set.
        pairs = [pair.strip() for field in request.headers.get_list("Cookie") for pair in field.split(";")]
        values = [value for key, _, value in (pair.partition("=") for pair in pairs) if key.strip() == name]
        return _single("cookie", [value.strip().strip('"').encode() for value in values])

    return read_cookie


def parse_token(token: str, *, scheme: str = "Bearer", place: str = "header") -> Credentials:
    """Return the credentials of a token.

    Raises:
        InvalidRequest: The text is not one b64token (RFC 6750 section 2.1).
    """
    if not _B64TOKEN.fullmatch(token):
        raise InvalidRequest(Reason.MALFORMED_CREDENTIALS, "expected one b64token")
    return Credentials(scheme=scheme, token=token, place=place)


def parse_sources(value: object, *, cookie: object) -> tuple[str, ...]:
    """Return the source names in a handler's attributes ``token_sources`` and ``token_cookie``.

    Raises:
        TypeError: ``token_sources`` is neither a name nor a list of names.
        ValueError: A name is unknown, the list is empty, or the cookie name is malformed.
    """
    known = (*METHODS_SUPPORTED, "cookie", *PROXY_HEADERS)
    if not isinstance(value, Iterable):
        raise TypeError(f"token_sources is a name or a list of {', '.join(known)}, not {value!r}")
    names = (value,) if isinstance(value, str) else tuple(value)
    if unknown := [name for name in names if name not in known]:
        raise ValueError(f"token_sources holds {unknown[0]!r}; there are {', '.join(known)}")
    if not names:
        raise ValueError("token_sources is empty, so no client could present a token; name at least one source")
    if not isinstance(cookie, str) or not cookie.isascii() or not cookie.replace("_", "").replace("-", "").isalnum():
        raise ValueError(f"token_cookie is the name of a cookie, not {cookie!r}")
    return names


def source_functions(names: Sequence[str], *, cookie: str) -> tuple[TokenSource, ...]:
    """Return the functions that read the sources of these names."""
    functions: Mapping[str, TokenSource] = {
        "header": read_header,
        "form": read_form,
        "query": read_query,
        "cookie": cookie_source(cookie),
        **{name: proxy_header_source(name, parse_token) for name in PROXY_HEADERS if name in names},
    }
    return tuple(functions[name] for name in names)


def credential_fields(names: Sequence[str], *, other_schemes: bool) -> str:
    """Return the request fields that hold the credentials of these sources, as ``Vary`` lists them.

    A form and a query need no field: caches store no response to a form, and the query is part of their key.

    Args:
        other_schemes: Whether the header ``Authorization`` may hold credentials of another scheme.
    """
    fields = {"header": "Authorization", "cookie": "Cookie", **PROXY_HEADERS}
    used = [*names, *["header"] * other_schemes]
    return ", ".join(dict.fromkeys(fields[name] for name in used if name in fields))


def _single(place: str, values: Sequence[bytes]) -> Credentials | None:
    if len(values) > 1:
        raise InvalidRequest(Reason.SEVERAL_CREDENTIALS, f"{len(values)} tokens in one place")
    return parse_token(values[0].decode("ascii", "replace"), place=place) if values else None
