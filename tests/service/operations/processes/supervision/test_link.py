from __future__ import annotations

import multiprocessing

import pytest

from service.operations.processes.supervision.link import Ready, Serving, receive, send


def test_messages_arrive_in_order_until_the_other_end_is_closed() -> None:
    ours, theirs = multiprocessing.Pipe()
    send(theirs, Serving())
    send(theirs, Ready())
    theirs.close()
    messages = receive(ours)
    assert [Serving(), Ready()] == [next(messages), next(messages)]
    with pytest.raises(EOFError):
        next(messages)
    send(ours, Ready())  # the other process has ended
    ours.close()
    with pytest.raises(EOFError):
        list(receive(ours))


def test_a_process_that_does_not_read_blocks_no_other() -> None:
    ours, theirs = multiprocessing.Pipe()
    for _ in range(20_000):
        send(theirs, Serving())
    ours.close()
    theirs.close()
