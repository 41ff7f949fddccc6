from __future__ import annotations

import pytest

from service.authenticator import Authenticators
from service.binding import BindingCheck
from service.caches.deny_list import DenyList
from service.caches.shared import SharedCache
from service.health import Health


@pytest.fixture
def health(deny_list: DenyList, cache: SharedCache, binding: BindingCheck) -> Health:
    def build(kind: str) -> None:
        raise AssertionError(kind)

    return Health(
        Authenticators(build),  # type: ignore[arg-type]  # never called
        issuers=list,
        deny_list=deny_list,
        cache=cache,
        binding=binding,
    )
