from __future__ import annotations

import pytest

from service.errors import InvalidRequest
from service.web.credentials.foreign_request import make_request


def test_a_request_has_the_parts_of_its_url() -> None:
    request = make_request("POST", "https://api.example:8443/things/1?a=b", remote_ip="192.0.2.1")
    assert ("POST", "/things/1?a=b", "/things/1", {"a": [b"b"]}) == (
        request.method, request.uri, request.path, request.query_arguments,
    )  # fmt: skip
    assert ("https", "api.example:8443", "192.0.2.1") == (request.protocol, request.host, request.remote_ip)
    assert "https://api.example:8443/things/1?a=b" == request.full_url()


def test_a_url_without_a_path_has_the_root() -> None:
    assert "/" == make_request("GET", "http://api.example").uri


def test_the_header_of_the_client_names_the_host() -> None:
    assert "public.example" == make_request("GET", "http://10.0.0.1/", [("host", "public.example")]).host


def test_repeated_fields_stay_apart() -> None:
    request = make_request("GET", "http://api.example/", [("authorization", "Bearer a"), ("authorization", "Bearer b")])
    assert ["Bearer a", "Bearer b"] == request.headers.get_list("Authorization")


@pytest.mark.parametrize("field", [("A", "a\nB: c"), ("a b", "c"), ("Host", "a, b"), ("Host", "a/b")])
def test_a_field_that_tornado_rejects_is_an_invalid_request(field: tuple[str, str]) -> None:
    with pytest.raises(InvalidRequest):
        make_request("GET", "http://api.example/", [field])
