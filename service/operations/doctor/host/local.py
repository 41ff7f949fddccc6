"""The checks that take a moment and send nothing: before a reload, too."""

from __future__ import annotations

from service.clock import Clock, SystemClock
from service.operations.doctor.host.client_certificates import check_client_certificates
from service.operations.doctor.host.exposure import check_admin_port, check_cors, check_trusted_proxies
from service.operations.doctor.host.own_certificate import check_own_certificate
from service.operations.doctor.host.resources import check_descriptors, check_folders, check_limits
from service.operations.doctor.report import Finding
from service.settings.program import Settings


def check_locally(settings: Settings, *, clock: Clock | None = None) -> tuple[Finding, ...]:
    """Return the findings about this machine and the settings; a reload with one that fails must not take place.

    Nothing is sent, but files are read, so an event loop should call it in a thread.
    """
    clock = clock or SystemClock()
    return (
        check_own_certificate(settings, clock=clock),
        *check_client_certificates(settings, now=clock.now()),
        check_admin_port(settings),
        check_trusted_proxies(settings),
        check_cors(settings),
        check_limits(settings),
        check_descriptors(settings),
        *check_folders(settings, clock=clock),
    )
