from __future__ import annotations

import pytest

from service.web.openapi.components import components, error_reference


def test_the_security_schemes_stand_among_the_rest() -> None:
    schemes = {"bearer": {"type": "http", "scheme": "bearer"}}
    assert schemes == components(schemes)["securitySchemes"]


@pytest.mark.parametrize(
    ("status", "header", "words"),
    [
        ("400", "WWW-Authenticate", "`invalid_request`"),
        ("401", "WWW-Authenticate", "`missing_token` or `invalid_token` or `insufficient_user_authentication`"),
        ("403", "WWW-Authenticate", "`insufficient_scope`"),
        ("404", None, "no such resource"),
        ("503", "Retry-After", "may be valid"),
        ("default", None, "Any other error"),
    ],
)
def test_each_refusal_says_its_errors_and_its_header(status: str, header: str | None, words: str) -> None:
    name = error_reference(status)["$ref"].removeprefix("#/components/responses/")
    response = components({})["responses"][name]
    assert words in response["description"]
    assert ({header} if header else set()) == response["headers"].keys()


def test_only_what_is_always_there_is_required() -> None:
    headers = {
        name: header["required"]
        for one in components({})["responses"].values()
        for name, header in one["headers"].items()
        if one["description"].startswith(("The token is missing", "The token is valid", "The token cannot"))
    }
    assert {"WWW-Authenticate": False, "Retry-After": True} == headers
