"""The header fields in which an authenticating proxy presents a token to the API behind it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from tornado.httputil import HTTPServerRequest

from service.errors import InvalidRequest, Reason, SettingsError
from service.tokens.credentials import Credentials

PROXY_HEADERS: Mapping[str, str] = {
    "google-iap": "X-Goog-Iap-Jwt-Assertion",
    "cloudflare-access": "Cf-Access-Jwt-Assertion",
    "aws-alb": "X-Amzn-Oidc-Accesstoken",
    "oauth2-proxy": "X-Forwarded-Access-Token",
}
"""The name of each source, and its header."""

FROM_TRUSTED_PROXY = "is_from_trusted_proxy"
"""The attribute of a request that says whether its peer is one of ``trusted_proxies``."""

_FROM_TRUSTED_PROXY_ONLY = frozenset({"aws-alb", "oauth2-proxy"})
"""The sources whose token was issued to the proxy as a client, and is not signed for this API by the proxy."""


def proxy_header_source(
    name: str, parse: Callable[..., Credentials]
) -> Callable[[HTTPServerRequest], Credentials | None]:
    """Return the source that reads one header of :data:`PROXY_HEADERS`.

    Args:
        parse: Returns the credentials of a token at a ``place``.
    """
    header = PROXY_HEADERS[name]
    needs_proxy = name in _FROM_TRUSTED_PROXY_ONLY

    def read_proxy_header(request: HTTPServerRequest) -> Credentials | None:
        if needs_proxy and not is_from_trusted_proxy(request):
            return None
        fields = request.headers.get_list(header)
        if len(fields) > 1:
            raise InvalidRequest(Reason.SEVERAL_CREDENTIALS, f"{len(fields)} {header} fields")
        return parse(fields[0], place=name) if fields else None

    return read_proxy_header


def is_from_trusted_proxy(request: HTTPServerRequest) -> bool:
    """Return whether the peer of a request is a trusted proxy; False without ``trusted_proxies``."""
    return bool(vars(request).get(FROM_TRUSTED_PROXY))


def check_proxies_are_named(sources: Iterable[str], *, has_trusted_proxies: bool) -> None:
    """Check that sources which are read from trusted proxies only can be read at all.

    Raises:
        SettingsError: They cannot, since no proxy is trusted.
    """
    missing = sorted(_FROM_TRUSTED_PROXY_ONLY.intersection(sources))
    if missing and not has_trusted_proxies:
        problem = (
            f"trusted_proxies: is not set, but token_sources holds {missing[0]!r}, which is read from trusted proxies "
            "only; set trusted_proxies to the addresses of the proxy"
        )
        raise SettingsError([problem])
