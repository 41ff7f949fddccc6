from __future__ import annotations

from collections.abc import Iterator

import pytest
from tornado.ioloop import IOLoop

from service.issuers.client import JSONClient


@pytest.fixture
def client(io_loop: IOLoop) -> Iterator[JSONClient]:
    client = JSONClient()
    yield client
    client.close()
