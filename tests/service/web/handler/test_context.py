from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from service.authenticator import Authenticator, Authenticators
from service.caches.deny_list import Denials
from service.caches.tokens import Verdicts
from service.web.handler.context import Protection
from service.web.policy.scopes import ScopeMatching
from service.web.responses.cors import CrossOriginPolicy


def test_compares_scopes_letter_by_letter_unless_it_is_told_otherwise(
    words: Any, verdicts: Verdicts, denials: Denials
) -> None:
    authenticators = Authenticators(lambda _: Authenticator([words], verdicts=verdicts, denials=denials))
    protection = Protection(authenticators=authenticators, cors=CrossOriginPolicy([]), realm="api")
    assert (ScopeMatching.EXACT, None) == (protection.scope_matching, protection.resource.metadata_url)
    with pytest.raises(dataclasses.FrozenInstanceError):
        protection.realm = "other"  # type: ignore[misc]  # that is the attempt
