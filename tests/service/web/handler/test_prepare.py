from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

import pytest

from service.web.handler.prepare import authenticate_first


class Handler:
    """The attributes that ``authenticate_first`` uses."""

    def __init__(self, *, ends: bool = False, waits: bool = False) -> None:
        self._is_authentication_done = False
        self._finished = False
        self.ends = ends
        self.waits = waits
        self.steps: list[str] = []

    def _authenticate_request(self) -> Awaitable[None] | None:
        self._finished = self.ends
        self.steps.append("authenticated")
        return self._later() if self.waits else None

    async def _later(self) -> None:
        self.steps.append("awaited")

    @authenticate_first
    def prepare(self) -> Awaitable[None] | None:
        self.steps.append("prepared")
        return None


def test_authentication_runs_once_before_prepare() -> None:
    handler = Handler()
    assert handler.prepare() is None
    again: Any = handler.prepare()
    assert ["authenticated", "prepared", "prepared"] == handler.steps
    assert [] == list(again.__await__())


def test_prepare_is_skipped_after_an_error_response() -> None:
    handler = Handler(ends=True)
    assert handler.prepare() is None
    assert ["authenticated"] == handler.steps


@pytest.mark.gen_test
async def test_prepare_awaits_authentication() -> None:
    handler = Handler(waits=True)
    waiting = handler.prepare()
    assert waiting is not None
    assert ["authenticated"] == handler.steps
    await waiting
    assert ["authenticated", "awaited", "prepared"] == handler.steps
