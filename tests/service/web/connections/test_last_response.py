from __future__ import annotations

import pytest

from service.web.connections.last_response import announce_close


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (
            b"HTTP/1.1 200 OK\r\nA: b\r\n\r\nbody\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nA: b\r\nConnection: close\r\n\r\nbody\r\n\r\n",
        ),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"),
        (
            b"HTTP/1.1 200 OK\r\nConnection: Keep-Alive\r\nconnection: x\r\nA: b\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nA: b\r\nConnection: close\r\n\r\n",
        ),
        (b"HTTP/1.1 200 OK\r\nA: b", None),
    ],
    ids=["a body", "no field", "other fields", "no whole header"],
)  # fmt: skip
def test_a_response_announces_the_end_of_its_connection(data: bytes, expected: bytes | None) -> None:
    assert expected == announce_close(data)
    assert expected == announce_close(memoryview(data))
