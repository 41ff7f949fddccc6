from __future__ import annotations

import re

import pytest

from fakeissuer.model.layout import OKTA_LAYOUT, Layout

REALMS = Layout(part="/realms/{server}", issuer="{part}", endpoints={"token": "{part}/token"})
TENANTS = Layout(issuer="{part}/v2.0", segment=str.upper, aliases={"common": "default"}, endpoints={})
SHARED = Layout(issuer="{part}/", root_server="default", endpoints={"token": "{part}/token"})


@pytest.mark.parametrize(
    ("layout", "server", "issuer", "token"),
    [
        (OKTA_LAYOUT, "default", "/oauth2/default", "/oauth2/default/v1/token"),
        (OKTA_LAYOUT, "org", "", "/oauth2/v1/token"),
        (REALMS, "default", "/realms/default", "/realms/default/token"),
        (SHARED, "default", "/", "/token"),
        (SHARED, "partner", "/partner/", "/partner/token"),
    ],
)
def test_paths_of_a_server_lead_back_to_it(layout: Layout, server: str, issuer: str, token: str) -> None:
    assert (issuer, token) == (layout.issuer_path(server), layout.endpoint_paths(server)["token"])
    found = re.fullmatch(layout.endpoint_pattern("token"), token)
    assert found is not None
    assert server == layout.server_id(found["server"], ("default", "partner", "org"))
    document = layout.document_paths(server)["openid-configuration"]
    found = re.fullmatch(layout.document_pattern(layout.documents[0]), document)
    assert found is not None
    assert server == layout.server_id(found["server"], ("default", "partner", "org"))


@pytest.mark.parametrize(
    ("layout", "segment", "server"),
    [
        (OKTA_LAYOUT, None, "org"),
        (OKTA_LAYOUT, "org", "/org"),
        (OKTA_LAYOUT, "unknown", "unknown"),
        (REALMS, None, "default"),
        (TENANTS, "DEFAULT", "default"),
        (TENANTS, "common", "default"),
        (TENANTS, "default", "default"),
        (SHARED, "default", "/default"),
    ],
)
def test_a_segment_names_a_server_or_one_that_does_not_exist(layout: Layout, segment: str | None, server: str) -> None:
    assert server == layout.server_id(segment, ("default", "partner"))
