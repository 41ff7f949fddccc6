from __future__ import annotations

import service


def test_every_exported_name_exists() -> None:
    assert sorted(service.__all__) == service.__all__
    assert all(hasattr(service, name) for name in service.__all__)
