from __future__ import annotations

from typing import Any

import pytest

from fakeissuer.errors import InvalidRequestError
from fakeissuer.model.records import to_record
from fakeissuer.state.faults import KINDS, Fault, Faults

AMOUNTS = {
    "refuse": "network_zone",
    "status": 503,
    "delay": 0.5,
    "redirect": "https://elsewhere.test/",
    "content_type": "text/html",
}


def fault(**members: Any) -> Fault:
    return to_record({"endpoint": "keys", **members}, Fault)


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_a_fault(kind: str) -> None:
    assert fault(**{kind: AMOUNTS.get(kind, True)}).kind == kind


@pytest.mark.parametrize(
    "members",
    [
        {},
        {"drop": True, "empty": True},
        {"drop": True, "delay": 1},
        {"drop": False},
        {"drop": 1},
        {"drop": "true"},
        {"truncate": False},
        {"truncate": -1},
        {"truncate": 1.5},
        {"huge": 2**40},
        {"refuse": "magic"},
        {"status": 99},
        {"status": 101},
        {"status": 600},
        {"status": True},
        {"status": "503"},
        {"status": 503.0},
        {"delay": -1},
        {"delay": True},
        {"delay": float("nan")},
        {"delay": float("inf")},
        {"delay": 1e9},
        {"drip": -1},
        {"drop": True, "times": 0},
        {"drop": True, "times": -1},
        {"drop": True, "times": True},
        {"drop": True, "times": 1.0},
        {"drop": True, "headers": {"a": "b"}},
        {"drop": True, "body": "x"},
        {"headers": {"a": "b"}},
        {"status": 204, "body": "x"},
        {"status": 304, "body": {}},
        {"status": 503, "headers": {"Content-Length": "5"}},
        {"status": 503, "headers": {"transfer-encoding": "chunked"}},
        {"status": 503, "headers": {"a b": "c"}},
        {"status": 503, "headers": {"a": "b\r\nSet-Cookie: x=y"}},
        {"status": 503, "headers": {"a": "\u20ac"}},
        {"status": 503, "headers": {"a": 1}},
        {"status": 503, "body": 5},
        {"redirect": "https://a.test/\r\nx: y"},
        {"content_type": "text/html\n"},
        {"drop": True, "endpoint": "unknown"},
        {"drop": True, "unknown": 1},
    ],
)
def test_an_invalid_fault_is_rejected(members: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequestError):
        fault(**members)


def test_two_kinds_are_rejected_by_name() -> None:
    with pytest.raises(InvalidRequestError, match="drop, empty"):
        fault(drop=True, empty=True)


def test_a_fault_applies_to_a_number_of_requests() -> None:
    faults = Faults()
    faults.add(fault(drop=True, times=2))
    taken = [faults.take("keys", "default") is not None for _ in range(3)]
    assert taken == [True, True, False]


def test_the_remaining_number_of_requests_is_listed() -> None:
    faults = Faults()
    faults.add(fault(drop=True, times=2))
    faults.take("keys", "default")
    assert [planned.times for planned in faults.planned()] == [1]


def test_a_fault_without_times_applies_until_cleared() -> None:
    faults = Faults()
    faults.add(fault(drop=True))
    assert all(faults.take("keys", "default") for _ in range(100))
    faults.clear()
    assert faults.take("keys", "default") is None


def test_a_fault_applies_to_its_endpoint_and_server() -> None:
    faults = Faults()
    faults.add(fault(drop=True, server="partner"))
    assert faults.take("token", "partner") is None
    assert faults.take("keys", "default") is None
    assert faults.take("keys", "partner") is not None


def test_the_fault_added_first_applies_first() -> None:
    faults = Faults()
    faults.add(fault(drop=True, times=1))
    faults.add(fault(empty=True, times=1))
    assert [getattr(faults.take("keys", "default"), "kind", None) for _ in range(3)] == ["drop", "empty", None]


def test_true_selects_the_default_amount() -> None:
    assert fault(huge=True).amount(5) == 5
    assert fault(huge=7).amount(5) == 7
    assert fault(truncate=0).amount(5) == 0
