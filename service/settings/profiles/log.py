"""Logs what a service has recognised in its issuers by itself."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from service.settings.issuers import TrustedIssuer

_logger = logging.getLogger(__name__)


def log_profiles(issuers: Iterable[TrustedIssuer]) -> None:
    """Log each profile that was recognised and not set, and each issuer that is reached without TLS."""
    for issuer in issuers:
        fields = {"issuer": issuer.issuer, "profile": issuer.profile.server.name}
        if issuer.profile.is_recognised:
            _logger.info("profile recognised from the issuer: %(profile)s, issuer=%(issuer)s", fields, extra=fields)
        if issuer.is_exposed:
            _logger.warning("the issuer is reached without TLS: issuer=%(issuer)s", fields, extra=fields)
