from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from fakeissuer.handlers.pages import PageHandler
from fakeissuer.sessions import Session


@pytest.mark.parametrize("method", [PageHandler.show, PageHandler.act])
def test_a_page_that_lacks_a_part_says_so(method: Callable[..., Any]) -> None:
    with pytest.raises(NotImplementedError):
        method(object.__new__(PageHandler), Session())
