from __future__ import annotations

import pytest
from tornado.httputil import HTTPHeaders, HTTPServerRequest, RequestStartLine

from service.operations.admin.hosts import ForeignHost

LOOPBACK = ["localhost", "LOCALHOST:9001", "127.0.0.1:9001", "127.8.9.10", "[::1]:9001", "[::1]"]
FOREIGN = ["attacker.example", "attacker.example:9001", "localhost.attacker.example", "127.0.0.1.attacker.example", ""]
FOREIGN += ["localhost.", "127.1", "0", "2130706433", "0x7f000001"]
EVERY = ["0.0.0.0", "::", ""]


@pytest.mark.parametrize(
    ("address", "names", "host", "is_foreign"),
    [
        *(("127.0.0.1", (), host, False) for host in LOOPBACK),
        *(("127.0.0.1", (), host, True) for host in [*FOREIGN, "10.0.0.5", "[fd00::1]:9001"]),
        ("10.0.0.5", (), "10.0.0.5:9001", False),
        ("10.0.0.5", (), "localhost:9001", False),
        ("10.0.0.5", (), "10.0.0.6:9001", True),
        ("fd00::1", (), "[fd00::1]:9001", False),
        ("admin.internal", (), "Admin.Internal:9001", False),
        *((address, (), host, False) for address in EVERY for host in [*LOOPBACK, "10.0.0.5:1", "[fd00::1]"]),
        *((address, (), host, True) for address in EVERY for host in FOREIGN),
        ("0.0.0.0", ("Api.monitoring.svc",), "api.monitoring.SVC:9001", False),
        ("0.0.0.0", ("api.monitoring.svc",), "monitoring.svc", True),
        ("127.0.0.1", ("api.monitoring.svc",), "api.monitoring.svc", False),
    ],
)  # fmt: skip
def test_only_names_of_the_admin_port_are_accepted(
    address: str,
    names: tuple[str, ...],
    host: str,
    is_foreign: bool,  # noqa: FBT001  # a row of the table
) -> None:
    request = HTTPServerRequest(
        start_line=RequestStartLine("GET", "/", "HTTP/1.1"), headers=HTTPHeaders({"Host": host})
    )
    expected: dict[str, object] | None = {} if is_foreign else None
    assert expected == ForeignHost(address, names).match(request)
