"""Header fields of an issuer's response: how old it is, and when to send the next request."""

from __future__ import annotations

import email.utils
from collections.abc import Mapping

from tornado.httpclient import HTTPResponse

_MAX_RETRY_PAUSE = 60.0


def read_max_age(headers: Mapping[str, str]) -> float | None:
    """Return the ``max-age`` of ``Cache-Control`` in seconds, or None if there is none (RFC 9111 section 5.2.2.1)."""
    fields = (directive.strip().partition("=") for directive in headers.get("Cache-Control", "").lower().split(","))
    directives = {name: value.strip('"') for name, _, value in fields}
    if directives.keys() & {"no-store", "no-cache"}:
        return 0.0
    max_age = directives.get("max-age", "")
    return float(max_age) if max_age.isdecimal() else None


def read_date(headers: Mapping[str, str]) -> float | None:
    """Return the server's time in seconds since the epoch, or None without a valid ``Date``."""
    try:
        date = email.utils.parsedate_to_datetime(headers.get("Date", "")).timestamp()
    except (ValueError, OverflowError):
        return None
    age = headers.get("Age", "")  # a cache on the way keeps the original Date (RFC 9111 section 5.1)
    return date + int(age) if age.isdecimal() and len(age) < 10 else date


def read_retry_after(response: HTTPResponse) -> float:
    """Return the seconds to wait according to ``Retry-After`` (RFC 9110 section 10.2.3) or ``X-Rate-Limit-Reset``.

    Okta sends ``X-Rate-Limit-Reset`` with every response; it is a time to wait for only with 429.
    """
    headers = response.headers
    value = headers.get("Retry-After", "")
    if value.isdecimal():
        return min(float(value), _MAX_RETRY_PAUSE)
    reset, date = headers.get("X-Rate-Limit-Reset", ""), read_date(headers)
    if response.code != 429 or not reset.isdecimal() or date is None:
        return 1.0
    return min(max(float(reset) - date, 1.0), _MAX_RETRY_PAUSE)
