"""Combines the metrics of several processes, through files in a folder that prometheus_client maps into memory."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile

from prometheus_client import CollectorRegistry, multiprocess, values
from prometheus_client.metrics_core import CounterMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from service.errors import SettingsError
from service.settings.files import show_path

Restarts = Callable[[], Mapping[str, int]]
MULTIPROC_DIR_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
"""The variable that names the folder."""
_RESTART_REASONS = ("exited", "killed", "reload", "fewer workers", "max_requests", "max_worker_memory")
"""Shown with 0 from the start: ``increase()`` of Prometheus does not see the first count of a new series."""


@contextmanager
def multiprocess_metrics() -> Iterator[None]:
    """Combine the metrics of processes that start in this block, in a temporary folder unless one is configured.

    A configured folder may hold files of an earlier program with the same process ID, which is 1 in each container;
    they are removed, since the gauges of its workers would count as well.

    Raises:
        SettingsError: The folder that is configured cannot be written to.
        OSError: There is no temporary folder.
    """
    if (configured := os.environ.get(MULTIPROC_DIR_VARIABLE)) is not None:
        try:
            TemporaryFile(dir=configured).close()
            for file in Path(configured).glob(f"*_{os.getpid()}-*.db"):
                file.unlink()
        except OSError as exc:
            problem = f"{MULTIPROC_DIR_VARIABLE}: {show_path(configured)}: {exc.strerror}"
            advice = "create that folder, and let the user of the service write there"
            raise SettingsError([f"{problem}; {advice}"]) from None
        yield
        return
    with TemporaryDirectory(prefix="resource-server-metrics-") as folder:
        os.environ[MULTIPROC_DIR_VARIABLE] = folder
        try:
            yield
        finally:
            del os.environ[MULTIPROC_DIR_VARIABLE]


def use_worker_number(number: int) -> None:
    """Write the metrics of this worker process under a number, and continue those of an earlier worker of that number.

    Must be called before the first event; has no effect in a single process. Two workers that run at the same time
    must not have the same number: they would overwrite each other's counts.
    """
    if MULTIPROC_DIR_VARIABLE in os.environ:
        name = _name(os.getppid(), number)
        values.ValueClass = values.MultiProcessValue(process_identifier=lambda: name)  # type: ignore[no-untyped-call]  # the library annotates most, not this


def forget_gauges(number: int) -> None:
    """Remove the gauges of a worker of this process that has exited; its counters remain."""
    if MULTIPROC_DIR_VARIABLE in os.environ:
        multiprocess.mark_process_dead(_name(os.getpid(), number))  # type: ignore[no-untyped-call]  # as above


def _name(parent: int, number: int) -> str:
    return f"{parent}-{number}"


def merged(registry: CollectorRegistry, *, restarts: Restarts) -> CollectorRegistry:
    """Return the registry of all processes, or this one if there are no others.

    Args:
        restarts: Returns the workers that were replaced so far, which their parent process counts.
    """
    if MULTIPROC_DIR_VARIABLE not in os.environ:
        return registry
    of_all = CollectorRegistry()
    MultiProcessCollector(of_all)  # type: ignore[no-untyped-call]  # as above
    of_all.register(_RestartCollector(restarts))
    return of_all


class _RestartCollector(Collector):
    def __init__(self, restarts: Restarts) -> None:
        self._restarts = restarts

    def collect(self) -> Iterator[CounterMetricFamily]:
        family = CounterMetricFamily(
            "resource_server_worker_restarts", "Workers that were replaced.", labels=["reason"]
        )
        for reason, count in (dict.fromkeys(_RESTART_REASONS, 0) | dict(self._restarts())).items():
            family.add_metric([reason], count)
        yield family
