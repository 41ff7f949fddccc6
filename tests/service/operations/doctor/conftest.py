from __future__ import annotations

from collections.abc import Iterator

import pytest
from tornado.ioloop import IOLoop

from fakeissuer import RunningIssuer
from service.issuers.client import JSONClient
from service.settings.program import Settings


@pytest.fixture
def client(io_loop: IOLoop) -> Iterator[JSONClient]:
    client = JSONClient()
    yield client
    client.close()


@pytest.fixture
def settings(fake_issuer: RunningIssuer) -> Settings:
    return Settings(issuer=fake_issuer.issuer_url(), port=0)
