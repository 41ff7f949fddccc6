from __future__ import annotations

import copy
import json
import operator
import pickle
from collections.abc import Callable
from typing import Any

import pytest

from service.tokens.principal import freeze

LIST: list[Callable[[Any], object]] = [
    lambda value: value.append("x"),
    lambda value: value.extend(["x"]),
    lambda value: value.insert(0, "x"),
    lambda value: value.remove("a"),
    lambda value: value.pop(),
    lambda value: value.clear(),
    lambda value: value.sort(),
    lambda value: value.reverse(),
    lambda value: operator.setitem(value, 0, "x"),
    lambda value: operator.delitem(value, 0),
    lambda value: value.__iadd__(["x"]),
    lambda value: value.__imul__(2),
]
DICT: list[Callable[[Any], object]] = [
    lambda value: value.clear(),
    lambda value: value.pop("b"),
    lambda value: value.popitem(),
    lambda value: value.setdefault("x", 1),
    lambda value: value.update(x=1),
    lambda value: operator.setitem(value, "b", "x"),
    lambda value: operator.delitem(value, "b"),
    lambda value: value.__ior__({"x": 1}),
]


def _document() -> dict[str, Any]:
    return {"sub": "alice", "deep": {"b": [{"c": ["a"]}], "n": 1}, "list": ["a", ["a"]]}


@pytest.fixture
def frozen() -> dict[str, Any]:
    return dict(freeze(_document()))


@pytest.mark.parametrize("change", LIST, ids=range(len(LIST)))
def test_lists_cannot_be_changed(change: Callable[[Any], object], frozen: dict[str, Any]) -> None:
    for value in (frozen["list"], frozen["list"][1], frozen["deep"]["b"], frozen["deep"]["b"][0]["c"]):
        with pytest.raises(TypeError, match="change a copy"):
            change(value)
    assert _document() == frozen


@pytest.mark.parametrize("change", DICT, ids=range(len(DICT)))
def test_objects_cannot_be_changed(change: Callable[[Any], object], frozen: dict[str, Any]) -> None:
    whole: Any = freeze(_document() | {"b": 1})
    for value in (frozen["deep"], whole):
        with pytest.raises(TypeError, match="change a copy"):
            change(value)
    assert (_document(), _document() | {"b": 1}) == (frozen, whole)


def test_every_mutating_method_is_covered() -> None:
    """A future Python may add a mutating method to list or dict."""
    changing = {
        list: "append clear extend insert pop remove reverse sort __delitem__ __iadd__ __imul__ __setitem__",
        dict: "clear pop popitem setdefault update __delitem__ __ior__ __setitem__",
    }
    reading = {list: "copy count index", dict: "copy fromkeys get items keys values"}
    for kind, names in changing.items():
        public = {name for name in dir(kind) if not name.startswith("_")}
        assert public == {name for name in f"{names} {reading[kind]}".split() if not name.startswith("_")}


def test_a_frozen_document_reads_and_serializes_like_the_original(frozen: dict[str, Any]) -> None:
    assert json.dumps(_document()) == json.dumps(frozen)
    assert isinstance(frozen["list"], list)
    assert isinstance(frozen["deep"], dict)


@pytest.mark.parametrize("copier", [copy.copy, copy.deepcopy, lambda value: pickle.loads(pickle.dumps(value))])  # noqa: S301
def test_a_copy_can_be_changed(copier: Callable[[Any], Any], frozen: dict[str, Any]) -> None:
    copier(frozen["list"]).append("x")
    copier(frozen["deep"])["x"] = 1
    assert _document() == frozen
