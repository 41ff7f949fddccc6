"""Copies header fields (RFC 9110 section 5.5)."""

from __future__ import annotations

from tornado.httputil import HTTPHeaders


def copy_fields(fields: HTTPHeaders) -> HTTPHeaders:
    """Return a copy, in which the values have no white space around them.

    Tornado's ``copy`` raises an error for a value with such white space, which ``set_header`` accepts.
    """
    copied = HTTPHeaders()
    for name, value in fields.get_all():
        copied.add(name, value.strip(" \t"))
    return copied
