from __future__ import annotations

import service


def test_everything_that_is_promised_is_there() -> None:
    assert sorted(service.__all__) == service.__all__
    assert all(hasattr(service, name) for name in service.__all__)
