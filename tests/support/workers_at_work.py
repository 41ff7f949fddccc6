"""What workers do in tests: each is a process of its own, which finds it by the name of this module."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path


def serve(_number: int, announce: Callable[[], None]) -> None:
    announce()
    signal.pause()


def die_first(folder: Path, number: int, announce: Callable[[], None]) -> None:
    """End at once the first time, and serve the second."""
    try:
        (folder / str(number)).touch(exist_ok=False)
    except FileExistsError:
        serve(number, announce)
    else:
        os._exit(3)


def die(_number: int, _announce: Callable[[], None]) -> None:
    os._exit(3)


def outlived_by_a_child(folder: Path, number: int, announce: Callable[[], None]) -> None:
    """End at once the first time, while a child of one's own goes on for a while."""
    if (folder / str(number)).exists():
        serve(number, announce)
    (folder / str(number)).touch()
    if os.fork() == 0:
        time.sleep(20)
    os._exit(3)


def serve_behind_a_death(folder: Path, number: int, announce: Callable[[], None]) -> None:
    """The first one ends at once; the others serve a good while later."""
    if number == 0:
        (folder / "ended").touch()
        os._exit(3)
    while not (folder / "ended").exists():
        time.sleep(0.05)
    time.sleep(1)
    serve(number, announce)


def outlive(_number: int, announce: Callable[[], None]) -> None:
    """Be deaf to what should stop it."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    announce()
    while True:
        signal.pause()
