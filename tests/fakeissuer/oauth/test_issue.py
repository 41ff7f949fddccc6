from __future__ import annotations

from fakeissuer.oauth.issue import TokenRequest
from fakeissuer.state.seed import SERVICE_APP
from fakeissuer.state.state import IssuerState


def test_the_repr_of_a_token_request_omits_the_form(state: IssuerState) -> None:
    server, client = state.registry.server("default"), state.registry.clients[SERVICE_APP]
    request = TokenRequest(state=state, server=server, issuer="x", client=client, form={"password": "hidden"}, now=0.0)
    assert repr(request) == "TokenRequest(server='default', client='0oaservice0000000001')"
