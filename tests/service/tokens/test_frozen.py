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
    lambda one: one.append("x"),
    lambda one: one.extend(["x"]),
    lambda one: one.insert(0, "x"),
    lambda one: one.remove("a"),
    lambda one: one.pop(),
    lambda one: one.clear(),
    lambda one: one.sort(),
    lambda one: one.reverse(),
    lambda one: operator.setitem(one, 0, "x"),
    lambda one: operator.delitem(one, 0),
    lambda one: one.__iadd__(["x"]),
    lambda one: one.__imul__(2),
]
DICT: list[Callable[[Any], object]] = [
    lambda one: one.clear(),
    lambda one: one.pop("b"),
    lambda one: one.popitem(),
    lambda one: one.setdefault("x", 1),
    lambda one: one.update(x=1),
    lambda one: operator.setitem(one, "b", "x"),
    lambda one: operator.delitem(one, "b"),
    lambda one: one.__ior__({"x": 1}),
]


def _document() -> dict[str, Any]:
    return {"sub": "alice", "deep": {"b": [{"c": ["a"]}], "n": 1}, "list": ["a", ["a"]]}


@pytest.fixture
def frozen() -> dict[str, Any]:
    return dict(freeze(_document()))


@pytest.mark.parametrize("change", LIST, ids=range(len(LIST)))
def test_no_list_in_it_changes(change: Callable[[Any], object], frozen: dict[str, Any]) -> None:
    for one in (frozen["list"], frozen["list"][1], frozen["deep"]["b"], frozen["deep"]["b"][0]["c"]):
        with pytest.raises(TypeError, match="change a copy"):
            change(one)
    assert _document() == frozen


@pytest.mark.parametrize("change", DICT, ids=range(len(DICT)))
def test_no_object_in_it_changes(change: Callable[[Any], object], frozen: dict[str, Any]) -> None:
    whole: Any = freeze(_document() | {"b": 1})
    for one in (frozen["deep"], whole):
        with pytest.raises(TypeError, match="change a copy"):
            change(one)
    assert (_document(), _document() | {"b": 1}) == (frozen, whole)


def test_there_is_no_other_way_to_change_one() -> None:
    """Python may give a list or a dict one more of them."""
    changing = {
        list: "append clear extend insert pop remove reverse sort __delitem__ __iadd__ __imul__ __setitem__",
        dict: "clear pop popitem setdefault update __delitem__ __ior__ __setitem__",
    }
    escape_for_terminal = {list: "copy count index", dict: "copy fromkeys get items keys values"}
    for kind, names in changing.items():
        public = {name for name in dir(kind) if not name.startswith("_")}
        assert public == {name for name in f"{names} {escape_for_terminal[kind]}".split() if not name.startswith("_")}


def test_it_reads_and_is_written_out_as_before(frozen: dict[str, Any]) -> None:
    assert json.dumps(_document()) == json.dumps(frozen)
    assert isinstance(frozen["list"], list)
    assert isinstance(frozen["deep"], dict)


@pytest.mark.parametrize("made", [copy.copy, copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))])  # noqa: S301
def test_a_copy_can_be_changed(made: Callable[[Any], Any], frozen: dict[str, Any]) -> None:
    made(frozen["list"]).append("x")
    made(frozen["deep"])["x"] = 1
    assert _document() == frozen
