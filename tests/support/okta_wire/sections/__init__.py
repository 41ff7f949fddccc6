"""The rows, a file for each thing that Okta's servers do."""

from __future__ import annotations

from okta_wire.sections import (
    access_token,
    authorization,
    authorization_modes,
    ciba,
    client_authentication,
    discovery,
    error_shape,
    exchange_errors,
    id_token,
    introspection,
    keys,
    lifetimes,
    logout,
    org_api,
    pushed_requests,
    request_objects,
    revocation,
    token_errors,
    token_success,
    urls,
    userinfo,
)

SECTIONS = tuple(
    module.SECTION
    for module in (
        urls,
        discovery,
        keys,
        access_token,
        id_token,
        token_success,
        client_authentication,
        token_errors,
        exchange_errors,
        error_shape,
        introspection,
        revocation,
        userinfo,
        authorization,
        authorization_modes,
        pushed_requests,
        request_objects,
        ciba,
        logout,
        lifetimes,
        org_api,
    )
)
