"""Reading parameters, each of which may come once (RFC 6749 section 3.2), and what a body says it is."""

from __future__ import annotations

from tornado.escape import parse_qs_bytes
from tornado.httputil import HTTPHeaders, HTTPServerRequest

from fakeissuer.errors import OAuthError
from fakeissuer.errors.error_responses import ErrorCase

_FORM = "application/x-www-form-urlencoded"
JSON = "application/json"


def media_type(headers: HTTPHeaders) -> str:
    """Return the media type of a body, without parameters and in lower case (RFC 9110 section 8.3.1)."""
    return headers.get("Content-Type", "").partition(";")[0].strip().lower()


def form_arguments(request: HTTPServerRequest) -> dict[str, list[bytes]] | None:
    """Return the parameters of a body that is a form, None for any other; to Tornado its type has small letters."""
    return parse_qs_bytes(request.body, keep_blank_values=True) if media_type(request.headers) == _FORM else None


def single_values(arguments: dict[str, list[bytes]]) -> dict[str, str]:
    """Return parameters as texts.

    Raises:
        OAuthError: one came twice, so that two readers could take it for different things.
    """
    for name, values in arguments.items():
        if len(values) > 1:
            # Tornado reads names as Latin-1, which holds any byte; people write UTF-8.
            raise OAuthError(ErrorCase.PARAMETER_TWICE, name.encode("latin-1").decode("utf-8", "replace"))
    return {name: values[0].decode("utf-8", "replace") for name, values in arguments.items()}
