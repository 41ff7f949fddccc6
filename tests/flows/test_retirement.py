"""A worker that retires during an outage of the issuer stays, because a new one could not fetch the keys."""

from __future__ import annotations

import signal

from plain_http import send
from programs import Start
from supervised import Supervised

import fakeissuer


def test_a_worker_stays_while_its_replacement_cannot_fetch_the_keys(start: Start) -> None:
    with fakeissuer.running() as issuer:
        program = Supervised(
            start("service", "--port", "0", "--issuer", issuer.issuer_url(), SERVICE_MAX_REQUESTS="20")
        )
        bearer = {"Authorization": f"Bearer {issuer.token()}"}
        assert 200 == send(f"{program.url}/api/whoami", headers=bearer).status
        before = program.wait_for_workers(1)
        issuer.fail("discovery", status=503)
        issuer.fail("keys", status=503)
        for _ in range(30):
            assert 200 == send(f"{program.url}/api/whoami", headers=bearer).status
        program.wait_for_log("worker retires later")
        program.wait_for_workers(1)
        assert before == program.workers()
        assert 200 == send(f"{program.url}/api/whoami", headers=bearer).status
        program.signal(signal.SIGTERM)
        assert 0 == program.wait()
