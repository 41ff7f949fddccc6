"""A running service as its operator sees it: its log, its metrics, and what its clients get."""

from __future__ import annotations

import re
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from plain_http import Response, send
from prometheus_client.parser import text_string_to_metric_families

PATIENCE = 60.0
"""Seconds until a condition must hold, also on a busy machine."""
ADMIN_TOKEN = "Zk3vQ9tRw2xLm7Yc5NbH8dPf4GsJ6eKa"


def eventually(condition: Callable[[], Any], description: object = "") -> Any:
    """Return the first true value of a condition."""
    end = time.monotonic() + PATIENCE
    while not (value := condition()):
        assert time.monotonic() < end, f"still not: {description}"
        time.sleep(0.02)
    return value


@dataclass
class Operated:
    """A process of the service, whose log is read all the time."""

    process: subprocess.Popen[str]
    statuses: set[int] = field(default_factory=set)
    """The statuses that clients of the API have got."""
    _lines: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def log(self) -> str:
        return "".join(self._lines)

    @property
    def api(self) -> str:
        return self.wait_for(r"^listening on (\S+)$")

    @property
    def admin(self) -> str:
        return self.wait_for(r"admin port listening.* url=(\S+)$")

    def wait_for(self, pattern: str) -> str:
        """Return the first group, or all, of what matches a line of the log, once there is such a line."""
        compiled = re.compile(pattern, re.MULTILINE)
        found = eventually(lambda: compiled.search(self.log) or self._exited(), f"{pattern} in the log:\n{self.log}")
        assert isinstance(found, re.Match), f"exited without {pattern}:\n{self.log}"
        return str(found[1] if found.groups() else found[0])

    def get(self, token: str | None = None, path: str = "/api/whoami", **headers: str) -> Response:
        """Send a request of a client, and remember its status."""
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        response = send(self.api + path, headers=headers)
        self.statuses.add(response.status)
        return response

    def administer(self, path: str, method: str = "POST", body: bytes | None = None) -> Response:
        """Send a request of an operator."""
        return send(self.admin + path, method, body=body, headers={"Authorization": f"Bearer {ADMIN_TOKEN}"})

    def metric(self, name: str, labels: dict[str, str]) -> float:
        """Return the sum of the samples that have these labels."""
        families = text_string_to_metric_families(send(f"{self.admin}/metrics").body.decode())
        samples = [sample for family in families for sample in family.samples]
        return sum(each.value for each in samples if each.name == name and labels.items() <= each.labels.items())

    @property
    def workers(self) -> list[int]:
        """The process IDs of the workers."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return [pid for pid in map(int, children.split()) if b"spawn_main" in _command_line(pid)]

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self._lines.append(line)

    def _exited(self) -> bool:
        if self.process.poll() is None:
            return False
        self._reader.join()
        return True


def _command_line(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:  # it has ended
        return b""
