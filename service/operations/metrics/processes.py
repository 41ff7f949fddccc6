"""Combines the metrics of several processes, through files that prometheus_client maps into memory."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping

from prometheus_client import CollectorRegistry, values
from prometheus_client.metrics_core import CounterMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from service.operations.metrics.folder import MULTIPROC_DIR_VARIABLE, worker_name

Restarts = Callable[[], Mapping[str, int]]
_RESTART_REASONS = ("exited", "killed", "reload", "fewer workers", "max_requests", "max_worker_memory", "SIGTERM")
"""Shown with 0 from the start: ``increase()`` of Prometheus does not see the first count of a new series."""


def use_worker_number(number: int) -> None:
    """Write the metrics of this worker process under a number, and continue those of an earlier worker of that number.

    Must be called before the first event; has no effect in a single process. Two workers that run at the same time
    must not have the same number: they would overwrite each other's counts.
    """
    if MULTIPROC_DIR_VARIABLE in os.environ:
        name = worker_name(os.getppid(), number)
        values.ValueClass = values.MultiProcessValue(process_identifier=lambda: name)  # type: ignore[no-untyped-call]  # the library annotates most, not this


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
