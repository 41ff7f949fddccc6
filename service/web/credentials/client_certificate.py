"""Finds the client certificate of a request: that of its TLS connection, or the one that a trusted proxy reports."""

from __future__ import annotations

from collections.abc import Callable

from tornado.httputil import HTTPServerRequest

from service.errors import InvalidRequest, Reason
from service.settings.groups.binding import BindingSettings
from service.tokens.binding.thumbprint import encode_sha256
from service.web.credentials.certificate_fields import read_certificate_field
from service.web.credentials.proxy_headers import is_from_trusted_proxy


def certificate_source(settings: BindingSettings) -> Callable[[HTTPServerRequest], str | None] | None:
    """Return the function that returns the hash of a request's client certificate, or None if no source is configured.

    It returns the SHA-256 hash of the DER encoding in base64url (RFC 8705 section 3.1), or None without a certificate.
    It raises InvalidRequest if a trusted proxy reports a malformed certificate or several. The proxy headers of the
    request must have been read.
    """
    header, reads_tls = settings.client_certificate_header, settings.client_ca is not None
    if header is None and not reads_tls:
        return None

    def certificate_of(request: HTTPServerRequest) -> str | None:
        if is_from_trusted_proxy(request):
            # That of the connection is the proxy's own: a token bound to it would work for all clients behind it.
            return None if header is None else _reported_certificate(request, header)
        return _certificate_of_connection(request) if reads_tls else None

    return certificate_of


def _reported_certificate(request: HTTPServerRequest, header: str) -> str | None:
    fields = request.headers.get_list(header)
    if len(fields) > 1:
        # One of them may be the client's own.
        raise InvalidRequest(Reason.MALFORMED_CERTIFICATE, f"{len(fields)} {header} fields, expected one")
    if not fields:
        return None
    try:
        return read_certificate_field(header, fields[0])
    except ValueError as exc:
        raise InvalidRequest(Reason.MALFORMED_CERTIFICATE, f"{header}: {exc}") from None


def _certificate_of_connection(request: HTTPServerRequest) -> str | None:
    # A WebSocket takes the stream from the connection of its request, so it is read from that of the server.
    connection = getattr(getattr(request.server_connection, "stream", None), "socket", None)
    read = getattr(connection, "getpeercert", None)  # absent without TLS, and after the client has disconnected
    certificate: bytes | None = None if read is None else read(binary_form=True)
    return None if certificate is None else encode_sha256(certificate)
