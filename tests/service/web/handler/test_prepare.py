from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

import pytest

from service.web.handler.prepare import judge_first


class Handler:
    """The least that a ``prepare`` can be guarded on."""

    def __init__(self, *, ends: bool = False, waits: bool = False) -> None:
        self._judged = False
        self._finished = False
        self.ends = ends
        self.waits = waits
        self.steps: list[str] = []

    def _authenticate_request(self) -> Awaitable[None] | None:
        self._judged = True
        self._finished = self.ends
        self.steps.append("judged")
        return self._later() if self.waits else None

    async def _later(self) -> None:
        self.steps.append("awaited")

    @judge_first
    def prepare(self) -> Awaitable[None] | None:
        self.steps.append("prepared")
        return None


def test_judges_once_and_then_prepares() -> None:
    handler = Handler()
    assert handler.prepare() is None
    again: Any = handler.prepare()
    assert ["judged", "prepared", "prepared"] == handler.steps
    assert [] == list(again.__await__())


def test_prepares_nothing_once_the_request_is_answered() -> None:
    handler = Handler(ends=True)
    assert handler.prepare() is None
    assert ["judged"] == handler.steps


@pytest.mark.gen_test
async def test_waits_for_the_judgement() -> None:
    handler = Handler(waits=True)
    waiting = handler.prepare()
    assert waiting is not None
    assert ["judged"] == handler.steps
    await waiting
    assert ["judged", "awaited", "prepared"] == handler.steps
