from __future__ import annotations

import asyncio
from typing import Any

import pytest

from fakeissuer import RunningIssuer
from service.errors import IssuerUnavailable
from service.issuers.client import JSONClient
from service.issuers.failures import UnexpectedStatus


@pytest.fixture
def url(fake_issuer: RunningIssuer) -> str:
    return f"{fake_issuer.issuer_url()}/v1/keys"


@pytest.mark.gen_test
async def test_a_json_object_is_returned_with_its_max_age(client: JSONClient, url: str) -> None:
    response = await client.get(url)
    assert ["keys"] == list(response.document)
    assert response.max_age is not None
    assert response.max_age > 3600


FAULTS: dict[str, tuple[dict[str, Any], str]] = {
    "an error": ({"status": 500}, "500"),
    "a redirect, which is not followed": ({"redirect": True}, "302 to '"),
    "a response without content": ({"status": 204}, "204"),
    "a dropped connection": ({"drop": True}, "GET "),
    "a truncated response": ({"truncate": True}, "GET "),
    "invalid JSON": ({"garbage": True}, "not a JSON object"),
    "an empty body": ({"empty": True}, "not a JSON object"),
    "a list": ({"status": 200, "body": []}, "not a JSON object"),
    "a huge response": ({"huge": True}, "max_body_size"),
    "a gzip bomb": ({"gzip_bomb": True}, "content coding 'gzip'"),
    "an HTML page": ({"status": 200, "body": "<html>"}, "not a JSON object"),
}


@pytest.mark.parametrize(("fault", "word"), FAULTS.values(), ids=FAULTS.keys())
@pytest.mark.gen_test
async def test_a_fault_raises_issuer_unavailable(
    fault: dict[str, Any], word: str, client: JSONClient, url: str, fake_issuer: RunningIssuer
) -> None:
    fake_issuer.fail("keys", **fault)
    with pytest.raises(IssuerUnavailable) as exc_info:
        await client.get(url)
    assert word in exc_info.value.detail
    assert (2 if fault.keys() & {"drop", "truncate"} else 1) == fake_issuer.requests("keys").count
    fake_issuer.clear_faults()
    assert ["keys"] == list((await client.get(url)).document)


@pytest.mark.parametrize("fault", [{"drop": True}, {"truncate": True}])
@pytest.mark.gen_test
async def test_one_lost_connection_is_retried(
    fault: dict[str, Any], client: JSONClient, url: str, fake_issuer: RunningIssuer
) -> None:
    fake_issuer.fail("keys", times=1, **fault)
    assert ["keys"] == list((await client.get(url)).document)
    assert 2 == fake_issuer.requests("keys").count


@pytest.mark.gen_test
async def test_an_issuer_that_does_not_listen_is_unavailable(client: JSONClient) -> None:
    with pytest.raises(IssuerUnavailable, match=r"GET http://127\.0\.0\.1:1/"):
        await client.get("http://127.0.0.1:1/")


@pytest.mark.gen_test(timeout=20)
async def test_a_slow_response_ends_after_the_total_timeout(
    client: JSONClient, url: str, fake_issuer: RunningIssuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.issuers.client.TOTAL_TIMEOUT", 0.3)
    fake_issuer.fail("keys", drip=0.1)
    started = asyncio.get_running_loop().time()
    with pytest.raises(IssuerUnavailable, match="timed out"):
        await client.get(url)
    assert asyncio.get_running_loop().time() - started < 3


@pytest.mark.parametrize(("value", "seconds"), [("7", 7.0), ("86400", 60.0), ("soon", 1.0), ("-1", 1.0), ("", 1.0)])
@pytest.mark.gen_test
async def test_retry_after_is_bounded(
    value: str, seconds: float, client: JSONClient, url: str, fake_issuer: RunningIssuer
) -> None:
    fake_issuer.fail("keys", status=429, headers={"Retry-After": value, "X-Rate-Limit-Reset": ""})
    with pytest.raises(UnexpectedStatus) as exc_info:
        await client.get(url)
    assert (429, seconds) == (exc_info.value.status, exc_info.value.retry_after)


@pytest.mark.parametrize(
    ("value", "max_age"),
    [
        ("max-age=300, must-revalidate", 300.0),
        ('private, Max-Age="300"', 300.0),
        ("no-store", 0.0),
        ("max-age=300, no-cache", 0.0),
        ("no-cache, max-age=300", 0.0),
        ("max-age=soon", None),
        ("max-age=-1", None),
        ("s-maxage=5", None),
        ("", None),
    ],
)
@pytest.mark.gen_test
async def test_max_age_comes_from_cache_control(
    value: str, max_age: float | None, client: JSONClient, url: str, fake_issuer: RunningIssuer
) -> None:
    fake_issuer.fail("keys", status=200, headers={"Cache-Control": value}, body={"keys": []})
    assert max_age == (await client.get(url)).max_age


DATES: dict[str, tuple[dict[str, str], float | None]] = {
    "a date": ({"Date": "Tue, 14 Nov 2023 22:13:20 GMT"}, 1_700_000_000),
    "a date from a cache": ({"Date": "Tue, 14 Nov 2023 22:13:20 GMT", "Age": "40"}, 1_700_000_040),
    "a malformed age": ({"Date": "Tue, 14 Nov 2023 22:13:20 GMT", "Age": "-1"}, 1_700_000_000),
    "a malformed date": ({"Date": "yesterday"}, None),
    "a date out of range": ({"Date": "Tue, 14 Nov 99999 22:13:20 GMT"}, None),
}


@pytest.mark.parametrize(("headers", "date"), DATES.values(), ids=DATES.keys())
@pytest.mark.gen_test
async def test_the_time_of_the_issuer_comes_from_the_date(
    headers: dict[str, str], date: float | None, client: JSONClient, url: str, fake_issuer: RunningIssuer
) -> None:
    fake_issuer.fail("keys", status=200, headers=headers, body={})
    assert date == (await client.get(url)).date


@pytest.mark.gen_test(timeout=30)
async def test_the_queue_for_a_connection_has_a_timeout_and_a_maximum_length(
    client: JSONClient, fake_issuer: RunningIssuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.issuers.client.MAX_CONNECTIONS", 1)
    monkeypatch.setattr("service.issuers.client.MAX_QUEUED", 1)
    busy, url = JSONClient(), f"{fake_issuer.issuer_url()}/v1/introspect"
    fake_issuer.fail("introspect", delay=5.0)
    slow = asyncio.ensure_future(busy.post(url, {}, headers={}))
    await asyncio.sleep(0)  # it now has the only connection, for longer than the others may wait
    monkeypatch.setattr("service.issuers.client.TOTAL_TIMEOUT", 0.1)
    results = await asyncio.gather(*(busy.post(url, {}, headers={}) for _ in range(2)), return_exceptions=True)
    slow.cancel()
    details = [str(result) for result in results]
    assert all(isinstance(result, IssuerUnavailable) for result in results)
    assert any("no connection was free" in detail for detail in details)
    assert any("already waiting for a connection" in detail for detail in details)
    busy.close()


@pytest.mark.parametrize(
    ("headers", "pause"),
    [
        ({"Retry-After": "7"}, 7.0),
        ({"Retry-After": "86400"}, 60.0),
        ({"X-Rate-Limit-Reset": "1000000030", "Date": "Sun, 09 Sep 2001 01:46:40 GMT"}, 30.0),
        ({"X-Rate-Limit-Reset": "1000000000", "Date": "Sun, 09 Sep 2001 01:46:40 GMT"}, 1.0),
        ({"X-Rate-Limit-Reset": "soon", "Date": "Sun, 09 Sep 2001 01:46:40 GMT"}, 1.0),
        ({"X-Rate-Limit-Reset": ""}, 1.0),
    ],
)
@pytest.mark.gen_test
async def test_a_rate_limit_sets_the_pause(
    headers: dict[str, str], pause: float, client: JSONClient, fake_issuer: RunningIssuer
) -> None:
    fake_issuer.fail("introspect", status=429, headers=headers, body={})
    response = await client.post(f"{fake_issuer.issuer_url()}/v1/introspect", {"token": "x"}, headers={})
    assert (429, pause) == (response.status, response.retry_after)


@pytest.mark.gen_test
async def test_the_rate_limit_reset_is_ignored_without_429(
    client: JSONClient, url: str, fake_issuer: RunningIssuer
) -> None:
    """Okta sends the reset time with every response; using it after a 500 would turn a short outage into a minute."""
    fake_issuer.fail("keys", status=500, headers={"X-Rate-Limit-Reset": "4000000000"})
    with pytest.raises(UnexpectedStatus) as exc_info:
        await client.get(url)
    assert (500, 1.0) == (exc_info.value.status, exc_info.value.retry_after)


@pytest.mark.gen_test
async def test_get_and_post_accept_no_content_coding(client: JSONClient) -> None:
    requests: list[bytes] = []

    async def respond(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        requests.append((await reader.readuntil(b"\r\n\r\n")).lower())
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(respond, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    try:
        with pytest.raises(IssuerUnavailable, match="content coding 'br'"):
            await client.get(url)
        with pytest.raises(IssuerUnavailable, match="content coding 'br'"):
            await client.post(url, {"token": "secret"}, headers={})
    finally:
        server.close()
    assert [1, 1] == [request.count(b"\r\naccept-encoding: identity\r\n") for request in requests]
