from __future__ import annotations

import pytest

from service.caches.backends import memory
from service.caches.backends.memory import MemoryBackend
from service.clock import ManualClock


@pytest.mark.gen_test
async def test_a_value_is_kept_for_its_lifetime(clock: ManualClock) -> None:
    backend = MemoryBackend(clock=clock)
    await backend.set("short", 1, ttl=5)
    await backend.set("for ever", 2)
    clock.advance(4.9)
    assert [1, 2] == await backend.multi_get(["short", "for ever"])
    clock.advance(0.1)
    assert [None, 2] == await backend.multi_get(["short", "for ever"])


@pytest.mark.gen_test
async def test_only_a_new_key_can_be_added(clock: ManualClock) -> None:
    backend = MemoryBackend(clock=clock)
    await backend.add("lock", 1, ttl=5)
    with pytest.raises(ValueError, match="exists"):
        await backend.add("lock", 2, ttl=5)
    clock.advance(5)
    await backend.add("lock", 3, ttl=5)
    assert 3 == await backend.get("lock")
    await backend.delete("lock")
    await backend.delete("lock")
    assert await backend.get("lock") is None


@pytest.mark.gen_test
async def test_the_least_recently_used_value_is_evicted(clock: ManualClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "CAPACITY", 2)
    backend = MemoryBackend(clock=clock)
    assert await backend.multi_set([("a", 1), ("b", 2)])
    assert 1 == await backend.get("a")
    await backend.set("c", 3)
    assert [1, None, 3] == await backend.multi_get(["a", "b", "c"])
    await backend.close()
