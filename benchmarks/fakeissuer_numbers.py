"""The fake issuer's numbers: `python benchmarks/fakeissuer_numbers.py` prints them with their targets.

They are taken in a process of one thread, median of five rounds; `start_and_size.py` measures its start and memory.
"""

from __future__ import annotations

import http.client
import statistics
import time
from collections.abc import Callable, Iterable
from urllib.parse import urlsplit

from fakeissuer import running
from fakeissuer.control.issuer_control import IssuerControl
from fakeissuer.model.urls import IssuerURLs
from fakeissuer.profiles.names import profile_named
from fakeissuer.state.journal import JournalEntry
from fakeissuer.state.key_pool import KeyPool
from fakeissuer.state.seed import seed
from fakeissuer.state.state import IssuerState

ROUNDS = 5
TOKENS = 500
URL = "http://127.0.0.1:9400"
FORM = (
    b"grant_type=client_credentials&client_id=0oaservice0000000001&client_secret=service-secret-for-tests-only-0000001"
)


def main() -> None:
    """Print every number, with its target."""
    issuer = in_memory()
    report("RS256 tokens minted, one thread", median(rates(issuer.mint)), "/s", ">= 500")
    report("RS256 tokens over HTTP, one connection", median(http_rates()), "/s", "")
    report("reset after 10 000 tokens and 10 000 requests", median(resets(issuer)) * 1000, "ms", "<= 5")
    report("catalogue of bad tokens, keys made", median(durations(issuer.bad_tokens)) * 1000, "ms", "")


def report(what: str, value: float, unit: str, target: str) -> None:
    """Print one line."""
    print(f"{what:<48} {value:10.3f} {unit:<3} {target}")


def median(values: Iterable[float]) -> float:
    """Return the median, which one slow run does not move."""
    return statistics.median(values)


def in_memory() -> IssuerControl:
    """Return an issuer without sockets, its first key made."""
    issuer = IssuerControl(
        IssuerState(IssuerURLs(listening_url=URL, public_url=URL), KeyPool(), profile_named("okta"), seed(URL))
    )
    issuer.mint()
    return issuer


def durations(call: Callable[[], object]) -> list[float]:
    """Return the seconds that a call takes, round by round."""
    taken = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        call()
        taken.append(time.perf_counter() - started)
    return taken


def rates(call: Callable[[], object]) -> list[float]:
    """Return calls a second, round by round."""
    return [TOKENS / seconds for seconds in durations(lambda: [call() for _ in range(TOKENS)])]


def get_token(connection: http.client.HTTPConnection) -> None:
    """Get a token as a client does."""
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    connection.request("POST", "/oauth2/default/v1/token", FORM, headers)
    answer = connection.getresponse()
    assert answer.read()
    assert answer.status == 200


def http_rates() -> list[float]:
    """Return tokens a second over HTTP, client and server sharing one interpreter."""
    with running() as issuer:
        connection = http.client.HTTPConnection(urlsplit(issuer.url).netloc)
        get_token(connection)
        return rates(lambda: get_token(connection))


def resets(issuer: IssuerControl) -> list[float]:
    """Return what a reset takes when there is much to forget."""
    taken = []
    for _ in range(ROUNDS):
        fill(issuer)
        started = time.perf_counter()
        issuer.reset()
        issuer.state.key_rings.for_server(issuer.state.registry.server("default")).key_set()
        taken.append(time.perf_counter() - started)
    return taken


def fill(issuer: IssuerControl) -> None:
    """Give an issuer ten thousand tokens and requests to forget."""
    minted = issuer.mint()
    known = issuer.state.store.find(minted.token)
    assert known is not None
    for number in range(10_000):
        issuer.state.store.add(str(number), known)
        issuer.state.journal.add(
            JournalEntry(
                method="GET",
                path="/oauth2/default/v1/keys",
                endpoint="keys",
                server="default",
                time=issuer.clock.now(),
                connection=number,
                credentials=None,
            )
        )


if __name__ == "__main__":
    main()
