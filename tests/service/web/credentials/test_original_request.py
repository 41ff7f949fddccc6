from __future__ import annotations

import pytest
from tornado.httputil import HTTPHeaders, HTTPServerRequest, RequestStartLine

from service.errors import InvalidRequest, Reason
from service.web.credentials.original_request import OriginalRequest, read_original_request
from service.web.credentials.proxy_headers import FROM_TRUSTED_PROXY

FORWARDED = ["X-Forwarded-Method: PUT", "X-Forwarded-Uri: /reports?a=b"]
ORIGINAL = ["X-Original-Method: PUT", "X-Original-URI: /reports?a=b"]
PUT = OriginalRequest(method="PUT", target="/reports?a=b")


def read(fields: list[str], *, below: str = "", is_trusted: bool = True, method: str = "GET") -> OriginalRequest | None:
    headers = HTTPHeaders({"Host": "127.0.0.1"})
    for field in fields:
        headers.parse_line(f"{field}\r\n")
    request = HTTPServerRequest(start_line=RequestStartLine("GET", f"/auth{below}", "HTTP/1.1"), headers=headers)
    vars(request)[FROM_TRUSTED_PROXY] = is_trusted
    return read_original_request(request, method=method, below=below)


@pytest.mark.parametrize(
    ("fields", "below"),
    [
        (FORWARDED, ""),
        (ORIGINAL, ""),
        ([*FORWARDED, *ORIGINAL], ""),
        (["x-original-method: PUT", "x-original-uri: /reports?a=b"], ""),
        (FORWARDED, "/reports?a=b"),
    ],
    ids=["Caddy", "nginx", "both alike", "lower case", "with the same target below"],
)
def test_a_trusted_proxy_reports_the_original_request(fields: list[str], below: str) -> None:
    assert PUT == read(fields, below=below)
    assert "/reports" == PUT.path


def test_envoy_sends_the_original_method_and_target() -> None:
    assert PUT == read([], below="/reports?a=b", method="PUT")


@pytest.mark.parametrize("below", ["", "/reports?a=b"])
def test_another_peer_reports_nothing(below: str) -> None:
    assert read([*FORWARDED, *ORIGINAL[:1]], below=below, is_trusted=False) is None


@pytest.mark.parametrize(
    ("fields", "below"),
    [
        ([], ""),
        (FORWARDED[:1], ""),
        (FORWARDED[1:], ""),
        (ORIGINAL[1:], ""),
        ([*FORWARDED, FORWARDED[1]], ""),
        ([*FORWARDED, FORWARDED[0]], ""),
        ([*FORWARDED, "X-Forwarded-Uri: /other"], ""),
        ([*FORWARDED, "X-Original-Method: PUT", "X-Original-URI: /other"], ""),
        ([*FORWARDED, "X-Original-Method: GET", "X-Original-URI: /reports?a=b"], ""),
        ([*FORWARDED, ORIGINAL[0]], ""),
        (["X-Forwarded-Method: ", FORWARDED[1]], ""),
        (["X-Forwarded-Method: GET, PUT", FORWARDED[1]], ""),
        (FORWARDED, "/other"),
        (FORWARDED, "/reports"),
    ],
)
def test_a_report_that_is_missing_repeated_or_contradictory_is_rejected(fields: list[str], below: str) -> None:
    with pytest.raises(InvalidRequest) as error:
        read(fields, below=below)
    assert Reason.ORIGINAL_REQUEST is error.value.reason


@pytest.mark.parametrize("is_trusted", [True, False])
@pytest.mark.parametrize(
    ("fields", "below"),
    [
        (["X-Forwarded-Method: GET", "X-Forwarded-Uri: /a/../b"], ""),
        (["X-Original-Method: GET", "X-Original-URI: //a"], ""),
        (["X-Original-URI: /a;b"], ""),
        (["X-Forwarded-Method: PUT", "X-Forwarded-Uri: /reports, /other"], ""),
        ([], "/a%2Fb"),
        (FORWARDED, "//reports?a=b"),
    ],
)
def test_an_ambiguous_target_is_rejected_whichever_peer_reports_it(
    fields: list[str],
    below: str,
    is_trusted: bool,  # noqa: FBT001  # a row of the table
) -> None:
    with pytest.raises(InvalidRequest, match="ambiguous") as error:
        read(fields, below=below, is_trusted=is_trusted)
    assert Reason.AMBIGUOUS_URL is error.value.reason
