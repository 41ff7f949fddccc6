"""The folder through which processes combine their metrics, for code that must not load prometheus_client."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile

from service.errors import SettingsError
from service.settings.files import show_path

MULTIPROC_DIR_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
"""The variable that names the folder."""


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


def forget_gauges(number: int) -> None:
    """Remove the gauges of a worker of this process that has exited; its counters remain."""
    if (folder := os.environ.get(MULTIPROC_DIR_VARIABLE)) is not None:
        for file in Path(folder).glob(f"gauge_live*_{worker_name(os.getpid(), number)}.db"):
            file.unlink(missing_ok=True)


def worker_name(parent: int, number: int) -> str:
    """Return the name of a worker in the names of its files."""
    return f"{parent}-{number}"
