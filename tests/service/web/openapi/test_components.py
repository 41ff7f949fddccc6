from __future__ import annotations

import pytest

from service.web.openapi.components import components, error_reference


def test_the_components_include_the_security_schemes() -> None:
    schemes = {"bearer": {"type": "http", "scheme": "bearer"}}
    assert schemes == components(schemes)["securitySchemes"]


@pytest.mark.parametrize(
    ("status", "header", "text"),
    [
        ("400", "WWW-Authenticate", "`invalid_request`"),
        ("401", "WWW-Authenticate", "`invalid_dpop_proof` or `invalid_token` or `insufficient_user_authentication`"),
        ("403", "WWW-Authenticate", "`insufficient_scope`"),
        ("404", None, "no such resource"),
        ("503", "Retry-After", "may be valid"),
        ("default", None, "Any other error"),
    ],
)
def test_each_error_response_names_its_errors_and_its_header(status: str, header: str | None, text: str) -> None:
    name = error_reference(status)["$ref"].removeprefix("#/components/responses/")
    response = components({})["responses"][name]
    assert text in response["description"]
    assert ({header} if header else set()) == response["headers"].keys()


def test_only_headers_that_are_always_sent_are_required() -> None:
    headers = {
        name: header["required"]
        for response in components({})["responses"].values()
        for name, header in response["headers"].items()
        if response["description"].startswith(("The token is missing", "The token is valid", "The token cannot"))
    }
    assert {"WWW-Authenticate": False, "Retry-After": True} == headers


@pytest.mark.parametrize(
    ("names", "pattern", "has_nonce"),
    [
        (["bearer"], "^(?:Bearer) ", False),
        (["bearer", "DPoP"], "^(?:Bearer|DPoP) ", True),
        (["DPoP"], "^(?:DPoP) ", True),
    ],
)
def test_a_rejection_has_a_challenge_of_an_accepted_scheme(names: list[str], pattern: str, *, has_nonce: bool) -> None:
    described = components({name: {"type": "http", "scheme": name} for name in names})
    headers = described["responses"]["Unauthorized"]["headers"]
    assert pattern == headers["WWW-Authenticate"]["schema"]["pattern"]
    assert has_nonce is ("DPoP-Nonce" in headers) is ("algs" in headers["WWW-Authenticate"]["description"])
    assert has_nonce is ("parameters" in described)
