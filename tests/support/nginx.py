"""A real nginx, for the time of a block."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

CONFIGURATION = """
daemon off;
{main}
pid nginx.pid;
error_log stderr;
events {{}}
http {{
    access_log off;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    {http}
}}
"""


@contextlib.asynccontextmanager
async def running(folder: Path, *, port: int, http: str, main: str = "") -> AsyncIterator[str]:
    """Run nginx with these directives, and yield its URL once it listens on the port."""
    (folder / "nginx.conf").write_text(CONFIGURATION.format(main=main, http=http))
    process = await asyncio.create_subprocess_exec("nginx", "-e", "stderr", "-p", str(folder), "-c", "nginx.conf")
    try:
        await asyncio.wait_for(_until_it_listens(port), 10)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        await process.wait()


async def _until_it_listens(port: int) -> None:
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.01)
        else:
            writer.close()
            return
