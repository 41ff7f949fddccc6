from __future__ import annotations

import pytest

from service.clock import ManualClock
from service.operations.admin.audit import AuditLog, describe_entry
from service.operations.logs.fields import fields_of


def test_lines_about_clients_without_a_token_are_limited_and_counted(
    clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    log = AuditLog(clock=clock)
    for number in range(1000):
        log.write_rejection("rejected", remote_ip=f"192.0.2.{number % 256}", status=401)
    assert 100 == len(caplog.records)
    clock.advance(1.0)
    log.write_rejection("rejected", remote_ip="192.0.2.1", status=401)
    fields = fields_of(caplog.records[-1])
    assert {"remote_ip": "192.0.2.1", "status": 401, "left_out": 900} == fields


def test_an_address_that_must_wait_is_one_line_a_minute(clock: ManualClock, caplog: pytest.LogCaptureFixture) -> None:
    log = AuditLog(clock=clock)
    for _ in range(119):
        log.write_limited("rejected", remote_ip="2001:db8::1")
        clock.advance(1.0)
    log.write_limited("rejected", remote_ip="192.0.2.1")
    assert 3 == len(caplog.records)
    log.write("added", operator="alice", issuer=None)
    assert {"operator": "alice"} == fields_of(caplog.records[-1])


def test_a_name_that_is_no_unicode_has_a_digest() -> None:
    assert 16 == len(describe_entry("sub", "\ud800", None)["value_sha256"] or "")
