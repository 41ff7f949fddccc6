"""Sending the answer to the client, in each response mode (RFC 6749 section 4.1.2, OAuth 2.0 Form Post)."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

from fakeissuer.errors import Refused
from fakeissuer.model.redirect_uris import origin_of, schemes_towards
from fakeissuer.oauth.authorization.request import RESPONSE_MODES, Target
from fakeissuer.responses.pages import page
from fakeissuer.responses.reply import Reply
from fakeissuer.state.state import State

NOT_KEPT = {"Cache-Control": "no-cache, no-store", "Pragma": "no-cache", "Referrer-Policy": "no-referrer"}
"""A code in a URL is neither to be kept nor told to the next site."""


def error_response(state: State, target: Target, refused: Refused) -> Reply:
    """Return the answer that tells the client what was wrong; its state comes first, as at Okta."""
    members = {"error": refused.problem.value.code, "error_description": str(refused)}
    if target.state is not None:
        members = {"state": target.state, **members}
    return deliver(state, target, members)


def deliver(state: State, target: Target, members: Mapping[str, str]) -> Reply:
    """Return what takes these members to the client."""
    if state.profile.is_strict:  # RFC 9207: a client of several issuers sees which one answered
        members = {**members, "iss": target.issuer}
    mode = target.response_mode if target.response_mode in RESPONSE_MODES else target.default_mode
    if mode == "query" and target.default_mode != "query":
        mode = "fragment"
    if mode == "form_post":
        form_action = schemes_towards(target.redirect_uri)
        return page("form_post", form_action=form_action, headers=NOT_KEPT, uri=target.redirect_uri, members=members)
    if mode == "okta_post_message":
        origin = origin_of(target.redirect_uri)
        return page("post_message", framed_by=origin, headers=NOT_KEPT, origin=origin, members=dict(members))
    mark = "#" if mode == "fragment" else "&" if "?" in target.redirect_uri else "?"
    return Reply(302, headers={"Location": f"{target.redirect_uri}{mark}{urlencode(members)}", **NOT_KEPT})
