"""The settings of the worker processes: their number, how they stop, and when they are replaced."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

_Seconds = Annotated[float, Field(gt=0, le=24 * 3600)]


class ProcessSettings(BaseModel):
    """The part of the settings that concerns the worker processes; times are in seconds."""

    model_config = ConfigDict(defer_build=True)

    processes: Annotated[int, Field(ge=0, le=256)] = 1
    """The number of worker processes; 0 for one per core, or as many as the CPU quota of the container allows."""
    drain_timeout: _Seconds = 30.0
    """How long the requests in progress may take when the program or a worker stops."""
    worker_start_timeout: _Seconds = 60.0
    """How long a worker may take until it serves, before it is killed."""
    worker_timeout: _Seconds = 30.0
    """How long the event loop of a worker may be blocked, before the worker is killed and replaced."""
    max_requests: Annotated[int, Field(ge=1)] | None = None
    """The requests after which a worker is replaced; unlimited if not set."""
    max_requests_jitter: Annotated[int, Field(ge=0)] | None = None
    """The most requests that a worker serves beyond ``max_requests``, at random; a tenth of it if not set.

    Without it, workers that were started together would be replaced together.
    """
    max_worker_memory: Annotated[int, Field(ge=1)] | None = None
    """The resident memory, in bytes, above which a worker is replaced; unlimited if not set."""
    file_check_interval: Annotated[float, Field(ge=0, le=24 * 3600)] = 5.0
    """How often the files of secrets, keys and certificates are checked for changes; 0 to check them never."""
