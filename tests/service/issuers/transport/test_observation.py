from __future__ import annotations

import logging
from typing import Any

import pytest

from fakeissuer import RunningIssuer
from service.errors import IssuerUnavailable
from service.issuers.client import JSONClient


def _fields(caplog: pytest.LogCaptureFixture) -> dict[str, Any]:
    (record,) = (record for record in caplog.records if record.name.endswith("observation"))
    return vars(record)


@pytest.mark.gen_test
async def test_a_request_is_a_line_with_the_id_that_the_issuer_has_given_it(
    fake_issuer: RunningIssuer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="service.issuers")
    client = JSONClient()
    await client.get(f"{fake_issuer.issuer_url()}/v1/keys?sesame=1")
    fields = _fields(caplog)
    assert ("GET", f"{fake_issuer.issuer_url()}/v1/keys", "200") == (fields["method"], fields["url"], fields["outcome"])
    assert fields["issuer_request_id"]
    client.close()


@pytest.mark.gen_test
async def test_a_request_without_a_response_has_failed(
    fake_issuer: RunningIssuer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="service.issuers")
    client = JSONClient()
    with pytest.raises(IssuerUnavailable):
        await client.get("http://127.0.0.1:1/keys")
    assert ("failed", False) == (_fields(caplog)["outcome"], "issuer_request_id" in _fields(caplog))
    client.close()
