"""The authorization response in each response mode (RFC 6749 section 4.1.2, OAuth 2.0 Form Post)."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

from fakeissuer.errors import OAuthError
from fakeissuer.model.redirect_uris import csp_origin, form_action_sources
from fakeissuer.oauth.authorization.request import RESPONSE_MODES, ResponseTarget
from fakeissuer.responses.pages import page
from fakeissuer.responses.reply import Reply
from fakeissuer.state.state import IssuerState

NO_STORE_HEADERS = {"Cache-Control": "no-cache, no-store", "Pragma": "no-cache", "Referrer-Policy": "no-referrer"}
"""A code in a URL must not be cached, or sent to another site in a ``Referer``."""


def error_response(state: IssuerState, target: ResponseTarget, error: OAuthError) -> Reply:
    """Return an error response to the client; its ``state`` comes first, as at Okta."""
    members = {"error": error.case.value.code, "error_description": str(error)}
    if target.state is not None:
        members = {"state": target.state, **members}
    return deliver(state, target, members)


def deliver(state: IssuerState, target: ResponseTarget, members: Mapping[str, str]) -> Reply:
    """Return the reply that sends these members to the client."""
    if state.profile.is_strict:  # RFC 9207, against mix-up attacks
        members = {**members, "iss": target.issuer}
    mode = target.response_mode if target.response_mode in RESPONSE_MODES else target.default_mode
    if mode == "query" and target.default_mode != "query":
        mode = "fragment"
    if mode == "form_post":
        form_action = form_action_sources(target.redirect_uri)
        return page(
            "form_post", form_action=form_action, headers=NO_STORE_HEADERS, uri=target.redirect_uri, members=members
        )
    if mode == "okta_post_message":
        origin = csp_origin(target.redirect_uri)
        return page("post_message", framed_by=origin, headers=NO_STORE_HEADERS, origin=origin, members=dict(members))
    separator = "#" if mode == "fragment" else "&" if "?" in target.redirect_uri else "?"
    return Reply(302, headers={"Location": f"{target.redirect_uri}{separator}{urlencode(members)}", **NO_STORE_HEADERS})
