"""Calls from any thread to an object that belongs to an event loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from copy import deepcopy
from functools import wraps
from typing import Concatenate, Generic, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")
TargetT = TypeVar("TargetT")


class LoopProxy(Generic[TargetT]):
    """Base of classes whose methods run on the event loop of a target object; declare the methods with ``on_loop``.

    Create the proxy on the thread that runs the loop.
    """

    def __init__(self, target: TargetT, loop: asyncio.AbstractEventLoop) -> None:
        self._target = target
        self._loop = loop
        self._loop_thread = threading.get_ident()

    def _run(self, call: Callable[[], T]) -> T:
        if threading.get_ident() == self._loop_thread:
            return call()
        done: Future[T] = Future()
        self._loop.call_soon_threadsafe(_set_outcome, done, call)
        return done.result()


def on_loop(operation: Callable[Concatenate[TargetT, P], T]) -> Callable[Concatenate[LoopProxy[TargetT], P], T]:
    """Return a method with the same signature and docstring that runs the operation on the target's event loop.

    The call blocks until the operation returns or raises; on the loop's own thread it runs immediately.
    Arguments and results are deep copies, so a caller never shares mutable state with the target.
    """

    @wraps(operation)
    def method(proxy: LoopProxy[TargetT], /, *args: P.args, **kwargs: P.kwargs) -> T:
        args_copy, kwargs_copy = deepcopy((args, kwargs))
        target = proxy._target  # noqa: SLF001  # the method belongs to the proxy's class
        return proxy._run(lambda: deepcopy(operation(target, *args_copy, **kwargs_copy)))  # noqa: SLF001  # as above

    return method


def _set_outcome(done: Future[T], call: Callable[[], T]) -> None:
    try:
        done.set_result(call())
    except BaseException as exc:  # noqa: BLE001  # raised again in the thread that waits for the result
        done.set_exception(exc)
