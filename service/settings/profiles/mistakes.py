"""Corrections of common mistakes in the issuers of each kind of authorization server."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import SplitResult

from service.settings.profiles.table import PROFILES, recognise
from service.tokens import issuer_identifier
from service.tokens.issuer_identifier import Correction

TENANT_PLACEHOLDER = "{tenantid}"
"""Stands for the tenant in Entra's metadata of all tenants, and in the setting ``issuer``."""

_EXAMPLE_TENANT = "00000000-0000-0000-0000-000000000000"
_CONSUMERS = "9188040d-6c67-4c5b-b112-36a304b66dad"
"""The tenant of personal Microsoft accounts."""
_OKTA_ENDPOINT = re.compile(r"^(/oauth2(?:/[^/]+)?)/v1(?:/.*)?$")
_ENTRA_V1_HOSTS = ("sts.windows.net", "sts.chinacloudapi.cn")


def find_mistakes(
    issuer: str, *, profile: str | None, has_tenants: bool, accepts_http: bool, is_located: bool = False
) -> list[str]:
    """Return the mistakes in an issuer and, as the last item, the correction; empty if there are none.

    Args:
        profile: The name of the profile that is set.
        has_tenants: Whether tenants are listed for the placeholder.
        accepts_http: Whether an issuer without TLS is accepted.
        is_located: Whether other settings say where things are, so that the issuer is only compared.
    """
    if (TENANT_PLACEHOLDER in issuer) != has_tenants:
        if has_tenants:
            return [f"tenants are listed, but {TENANT_PLACEHOLDER} stands nowhere", "write it in place of the tenant"]
        return [f"{TENANT_PLACEHOLDER} stands for a tenant", "list the IDs of the accepted tenants in tenants"]
    recognised = recognise(issuer.partition("/.well-known/")[0])
    row = PROFILES[profile] if profile is not None else recognised
    corrections: dict[str, Correction] = {}
    if row is not None:
        if row is recognised or row.name != "entra":  # with another host, it is B2C, which spells its issuers otherwise
            corrections |= _BY_PROFILE.get(row.name, {})
        if row.has_final_slash is not None:
            state = "with" if row.has_final_slash else "without"
            corrections[f"the issuers of {row.name} end {state} a slash"] = (
                _add_slash if row.has_final_slash else _drop_slash
            )
    name = issuer.replace(TENANT_PLACEHOLDER, _EXAMPLE_TENANT)
    mistakes = issuer_identifier.find_mistakes(
        name, corrections=corrections, accepts_http=accepts_http, is_located=is_located
    )
    return [mistake.replace(_EXAMPLE_TENANT, TENANT_PLACEHOLDER) for mistake in mistakes]


def _add_slash(url: SplitResult) -> SplitResult:
    return url if url.path.endswith("/") else url._replace(path=f"{url.path}/")


def _drop_slash(url: SplitResult) -> SplitResult:
    return url._replace(path=url.path.rstrip("/"))


def _leave_admin_console(url: SplitResult) -> SplitResult:
    return url._replace(netloc=url.netloc.replace("-admin.", ".", 1))


def _drop_endpoint(url: SplitResult) -> SplitResult:
    return url._replace(path=_OKTA_ENDPOINT.sub(r"\1", url.path))


def _add_server_id(url: SplitResult) -> SplitResult:
    return url._replace(path="/oauth2/default") if url.path.rstrip("/") == "/oauth2" else url


def _drop_protocol(url: SplitResult) -> SplitResult:
    return url._replace(path=url.path.partition("/protocol/")[0])


def _drop_token_issuer(url: SplitResult) -> SplitResult:
    return url._replace(path=url.path.partition("/services/trust")[0])


def _name_tenant(url: SplitResult) -> SplitResult:
    first, _, rest = url.path.removeprefix("/").partition("/")
    if first == "consumers":
        return url._replace(path=f"/{_CONSUMERS}/{rest}")
    return url._replace(path=f"/{TENANT_PLACEHOLDER}/{rest}") if first in {"common", "organizations"} else url


def _replace_domain(url: SplitResult) -> SplitResult:
    first, _, rest = url.path.removeprefix("/").partition("/")
    return url._replace(path=f"/(tenant ID)/{rest}") if "." in first else url


def _add_version(url: SplitResult) -> SplitResult:
    is_bare = url.hostname not in _ENTRA_V1_HOSTS and url.path.strip("/").count("/") == 0
    return url._replace(path=f"{url.path.rstrip('/')}/v2.0") if is_bare else url


def _correct_slash_of_entra(url: SplitResult) -> SplitResult:
    return _add_slash(url) if url.hostname in _ENTRA_V1_HOSTS else _drop_slash(url)


_BY_PROFILE: Mapping[str, Mapping[str, Correction]] = {
    "okta": {
        "it is the address of Okta's admin console": _leave_admin_console,
        "it is the address of an endpoint": _drop_endpoint,
        "the ID of the authorization server is missing": _add_server_id,
    },
    "adfs": {"it is the issuer of access tokens, and not that of the metadata": _drop_token_issuer},
    "keycloak": {"it is the address of an endpoint": _drop_protocol},
    "entra": {
        "each token names its own tenant, so list the accepted ones in tenants": _name_tenant,
        "tokens name the tenant by its ID instead of a domain": _replace_domain,
        "tokens of version 2 end with /v2.0, and those of version 1 are from https://sts.windows.net/": _add_version,
        "the issuers of version 1 end with a slash, and those of version 2 without": _correct_slash_of_entra,
    },
}
