"""What a herd and a flood cost the issuer, and what the flood costs those with a good token.

Run as ``python benchmarks/key_sets.py [SECONDS]``; a flood lasts a minute when nothing is said.
"""

from __future__ import annotations

import asyncio
import contextlib
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator

from tornado.curl_httpclient import CurlAsyncHTTPClient

import fakeissuer

HERD = 1000
FLOOD = 10_000
SECONDS = float(sys.argv[1]) if len(sys.argv) > 1 else 60.0


async def main() -> None:
    with fakeissuer.running() as issuer:
        tokens = [issuer.token() for _ in range(HERD)]
        flood = [issuer.token(key="unpublished", header={"kid": f"made-up-{number}"}) for number in range(200)]
        with _service(issuer.issuer_url()) as url:
            client = CurlAsyncHTTPClient(force_instance=True, max_clients=100)
            statuses = await asyncio.gather(*(_status(client, url, token) for token in tokens))
            print(
                f"{HERD} concurrent first requests: {statuses.count(200)} x 200, "
                f"{issuer.requests('discovery').count} discovery, {issuer.requests('keys').count} key fetch"
            )
            quiet = await _latencies(client, url, tokens, until=asyncio.create_task(asyncio.sleep(SECONDS / 3)))
            issuer.clear_requests()
            flooding = asyncio.create_task(_flood(client, url, flood))
            loud = await _latencies(client, url, tokens, until=flooding)
            print(
                f"{FLOOD} made-up key IDs in {SECONDS:.0f} s: {issuer.requests('keys').count} key fetches "
                f"(at most {2 + SECONDS / 10:.0f}), all rejected: {flooding.result()}"
            )
            print(
                f"a good token's p99: {1e3 * _p99(loud):.2f} ms under the flood, {1e3 * _p99(quiet):.2f} ms without: "
                f"{_p99(loud) / _p99(quiet):.2f} x (at most 2)"
            )
            client.close()


@contextlib.contextmanager
def _service(issuer: str) -> Iterator[str]:
    """Serve in a process of its own, so that the sender of the flood does not slow the service."""
    command = [sys.executable, "-m", "service", "--port", "0", "--issuer", issuer, "--log-level", "warning"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    yield process.stderr.readline().split()[-1]
    process.terminate()
    process.wait()


async def _flood(client: CurlAsyncHTTPClient, url: str, tokens: list[str]) -> bool:
    """Send tokens with made-up key IDs, evenly over the time, and return whether each was rejected with 401."""
    started = time.perf_counter()
    under_way = []
    for number in range(FLOOD):
        under_way.append(asyncio.ensure_future(_status(client, url, tokens[number % len(tokens)])))
        await asyncio.sleep(max(0.0, started + SECONDS * number / FLOOD - time.perf_counter()))
    return set(await asyncio.gather(*under_way)) == {401}


async def _latencies(
    client: CurlAsyncHTTPClient, url: str, tokens: list[str], *, until: asyncio.Task[object]
) -> list[float]:
    """Return how long requests with good tokens took, one after another, while something else runs."""
    seconds: list[float] = []
    while not until.done():
        started = time.perf_counter()
        assert 200 == await _status(client, url, tokens[len(seconds) % len(tokens)])
        seconds.append(time.perf_counter() - started)
        await asyncio.sleep(0.005)
    return seconds


async def _status(client: CurlAsyncHTTPClient, url: str, token: str) -> int:
    headers = {"Authorization": f"Bearer {token}"}
    return (await client.fetch(f"{url}/api/whoami", headers=headers, raise_error=False)).code


def _p99(values: list[float]) -> float:
    return statistics.quantiles(values, n=100)[98]


if __name__ == "__main__":
    asyncio.run(main())
