from __future__ import annotations

import pytest

from service.web.responses.resource import Resource

METADATA_URLS = [
    ("https://api.example", "https://api.example/.well-known/oauth-protected-resource"),
    ("https://api.example/", "https://api.example/.well-known/oauth-protected-resource"),
    ("https://api.example:8443/v1", "https://api.example:8443/.well-known/oauth-protected-resource/v1"),
    ("https://api.example/v1/", "https://api.example/.well-known/oauth-protected-resource/v1/"),
]


@pytest.mark.parametrize(("public_url", "metadata_url"), METADATA_URLS)
def test_the_well_known_path_is_inserted_between_host_and_path(public_url: str, metadata_url: str) -> None:
    assert metadata_url == Resource(public_url=public_url).metadata_url


def test_a_resource_without_a_public_url_has_no_urls() -> None:
    resource = Resource()
    assert (None, None, None, "") == (
        resource.metadata_url,
        resource.origin,
        resource.page_origin,
        resource.path,
    )


@pytest.mark.parametrize(
    ("public_url", "page_origin"),
    [
        ("https://api.example/v1", "https://api.example"),
        ("https://API.example:443", "https://api.example"),
        ("http://api.example:80/", "http://api.example"),
        ("https://api.example:80", "https://api.example:80"),
        ("https://[::1]:8443/v1", "https://[::1]:8443"),
    ],
)
def test_the_origin_of_its_pages_is_written_as_browsers_do(public_url: str, page_origin: str) -> None:
    assert page_origin == Resource(public_url=public_url).page_origin
