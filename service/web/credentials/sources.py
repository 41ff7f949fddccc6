"""Where a handler looks for the token of a request: its header, and what else it opts in (RFC 6750 section 2)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from tornado.httputil import HTTPServerRequest

from service.errors import InvalidRequest, Reason
from service.tokens.credentials import Credentials
from service.web.credentials.header import bearer, read_header

TokenSource = Callable[[HTTPServerRequest], Credentials | None]
"""Returns the token that stands in one place of a request; None where none does."""

METHODS_SUPPORTED: Mapping[str, str] = {"header": "header", "form": "body", "query": "query"}
"""How the metadata calls each source (RFC 9728 section 2); a cookie is none of its methods."""

FIELD = "access_token"
"""What a token is called in a form and in a query."""

_FORM = "application/x-www-form-urlencoded"
_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})


def read_form(request: HTTPServerRequest) -> Credentials | None:
    """Return the token of a form in the body, where the method gives a body a meaning (RFC 6750 section 2.2).

    A body that the handler reads as a stream has not come yet, so that no token is in it.
    """
    media_type = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if request.method not in _WITH_BODY or media_type != _FORM:
        return None
    return _one_of("form", request.body_arguments.get(FIELD, []))


def read_query(request: HTTPServerRequest) -> Credentials | None:
    """Return the token of the query, which ends in histories and in the logs of others (RFC 6750 section 2.3)."""
    return _one_of("query", request.query_arguments.get(FIELD, []))


def from_cookie(name: str) -> TokenSource:
    """Return the source that is a cookie; whoever uses it has to know which page made the browser send it."""

    def read_cookie(request: HTTPServerRequest) -> Credentials | None:
        # Counted in the fields themselves: Tornado would take the last of two, and one may be a neighbour's.
        pairs = [pair.strip() for field in request.headers.get_list("Cookie") for pair in field.split(";")]
        values = [value for key, _, value in (pair.partition("=") for pair in pairs) if key.strip() == name]
        return _one_of("cookie", [value.strip().strip('"').encode() for value in values])

    return read_cookie


def read_credentials(sources: Sequence[TokenSource]) -> TokenSource:
    """Return the source that is all of these, of which a request may use one.

    Raises:
        InvalidRequest: On reading, there are tokens in two of them (RFC 6750 section 2).
    """
    if len(sources) == 1:
        return sources[0]

    def read_all(request: HTTPServerRequest) -> Credentials | None:
        found = [credentials for source in sources if (credentials := source(request)) is not None]
        if len(found) > 1:
            # Somebody may have added the second one: nobody can tell for whom the request is meant to speak.
            raise InvalidRequest(Reason.SEVERAL_CREDENTIALS, f"tokens in {len(found)} places")
        return found[0] if found else None

    return read_all


def parse_sources(value: object, *, cookie: object) -> tuple[str, ...]:
    """Return the names of the sources that a handler's attributes spell.

    Raises:
        TypeError: They are of a type that means nothing.
        ValueError: There is no such source, none at all, or no such cookie.
    """
    known = (*METHODS_SUPPORTED, "cookie")
    if not isinstance(value, Iterable):
        raise TypeError(f"token_sources is a name or a list of {', '.join(known)}, not {value!r}")
    names = (value,) if isinstance(value, str) else tuple(value)
    if unknown := [name for name in names if name not in known]:
        raise ValueError(f"token_sources holds {unknown[0]!r}; there are {', '.join(known)}")
    if not names:
        raise ValueError("token_sources is empty, so that nobody could ever show a token; name at least one source")
    if not isinstance(cookie, str) or not cookie.isascii() or not cookie.replace("_", "").replace("-", "").isalnum():
        raise ValueError(f"token_cookie is the name of a cookie, not {cookie!r}")
    return names


def source_functions(names: Sequence[str], *, cookie: str) -> list[TokenSource]:
    """Return the sources of these names."""
    known: Mapping[str, TokenSource] = {
        "header": read_header,
        "form": read_form,
        "query": read_query,
        "cookie": from_cookie(cookie),
    }
    return [known[name] for name in names]


def _one_of(place: str, values: Sequence[bytes]) -> Credentials | None:
    if len(values) > 1:
        raise InvalidRequest(Reason.SEVERAL_CREDENTIALS, f"{len(values)} tokens in one place")
    return bearer(values[0].decode("ascii", "replace"), place=place) if values else None
