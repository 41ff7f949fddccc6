"""Reads the request for which a proxy sends a subrequest: what the proxy reports, and what is in the subrequest."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tornado.httputil import HTTPServerRequest

from service.errors import InvalidRequest, Reason
from service.web.credentials.proxy_headers import is_from_trusted_proxy
from service.web.credentials.request_target import find_ambiguity

_REPORTS = (("X-Forwarded-Method", "X-Forwarded-Uri"), ("X-Original-Method", "X-Original-Uri"))
"""The headers with the method and the target of the original request: those of Traefik and Caddy, and of nginx."""
_METHOD = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+", re.ASCII)  # RFC 9110 section 9.1


@dataclass(frozen=True, kw_only=True, slots=True)
class OriginalRequest:
    """The request that a client has sent to the proxy.

    Args:
        target: The path and the query, as the client has written them.
    """

    method: str
    target: str

    @property
    def path(self) -> str:
        """The target without its query."""
        return self.target.partition("?")[0]


def read_original_request(request: HTTPServerRequest, *, method: str, below: str) -> OriginalRequest | None:
    """Return the request that a trusted proxy reports, or None if the peer is none.

    Args:
        request: A request whose proxy headers have been read.
        method: The method of the subrequest.
        below: What follows the path of the handler in the target of the subrequest; Envoy appends the original target.

    Raises:
        InvalidRequest: A target is ambiguous, whichever peer reports it; or a trusted proxy reports no request, or more
            than one, of which the client may have sent one.
    """
    targets = [request.uri or "", *(target for _, name in _REPORTS for target in request.headers.get_list(name))]
    for target in targets:
        if problem := find_ambiguity(target):
            raise InvalidRequest(Reason.AMBIGUOUS_URL, f"the URL is ambiguous: {problem}")
    if not is_from_trusted_proxy(request):
        return None
    reported = set(_reported_requests(request))
    if below and not reported:
        reported = {OriginalRequest(method=method, target=below)}
    if len(reported) != 1 or any(below not in {"", original.target} for original in reported):
        detail = "the proxy reports more than one request" if reported else "the proxy reports no request"
        raise InvalidRequest(Reason.ORIGINAL_REQUEST, detail)
    return reported.pop()


def _reported_requests(request: HTTPServerRequest) -> Iterator[OriginalRequest]:
    for names in _REPORTS:
        methods, targets = (request.headers.get_list(name) for name in names)
        if not methods and not targets:
            continue
        if len(methods) != 1 or len(targets) != 1 or not _METHOD.fullmatch(methods[0]):
            detail = f"{len(methods)} {names[0]} and {len(targets)} {names[1]} fields; a proxy sends one of each"
            raise InvalidRequest(Reason.ORIGINAL_REQUEST, detail)
        yield OriginalRequest(method=methods[0], target=targets[0])
