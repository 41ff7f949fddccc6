from __future__ import annotations

import resource
import subprocess
import sys

import pytest

from service.operations.sockets.descriptors import raise_descriptor_limit

_PROGRAM = """
import resource
from service.operations.sockets.descriptors import raise_descriptor_limit
raise_descriptor_limit()
print(*resource.getrlimit(resource.RLIMIT_NOFILE))
"""


def test_the_soft_limit_of_a_process_is_raised_to_the_hard_one(environment: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (128, 512)),  # the child only sets a limit
    )
    assert ["512", "512"] == done.stdout.split()


@pytest.mark.parametrize("error", [PermissionError(1, "Operation not permitted"), ValueError("too much")])
def test_a_system_that_refuses_leaves_the_limit(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise error

    monkeypatch.setattr(resource, "getrlimit", lambda _: (1024, 4096))
    monkeypatch.setattr(resource, "setrlimit", refuse)
    raise_descriptor_limit()


def test_an_equal_limit_is_not_set_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A filter of system calls may kill a process for the attempt."""
    monkeypatch.setattr(resource, "getrlimit", lambda _: (4096, 4096))
    monkeypatch.setattr(resource, "setrlimit", lambda *_: pytest.fail("set"))
    raise_descriptor_limit()
