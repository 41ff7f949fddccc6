from __future__ import annotations

import asyncio

import pytest

from service.tracing.current import CurrentRequest, in_request, outside_requests, request_id


def test_outside_a_request_there_is_no_id() -> None:
    assert request_id() is None
    with in_request(CurrentRequest("outer")):
        with in_request(CurrentRequest("inner")):
            assert "inner" == request_id()
        assert "outer" == request_id()
        assert outside_requests().run(request_id) is None
        with in_request(None):
            assert request_id() is None
    assert request_id() is None


@pytest.mark.gen_test
async def test_a_task_inherits_the_request_that_starts_it() -> None:
    async def read() -> str | None:
        await asyncio.sleep(0)
        return request_id()

    with in_request(CurrentRequest("first")):
        first = asyncio.create_task(read())
    with in_request(CurrentRequest("second")):
        second = asyncio.create_task(read())
    assert ["first", "second"] == [await first, await second]
