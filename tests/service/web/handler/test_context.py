from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from service.authenticator import Authenticator, Authenticators
from service.binding import BindingCheck
from service.caches.deny_list import DenyList
from service.caches.shared import SharedCache
from service.caches.tokens import ValidatedTokenCache
from service.health import Health
from service.web.handler.context import ResourceServerContext
from service.web.policy.scopes import ScopeMatching
from service.web.responses.cors import CrossOriginPolicy


def test_a_context_is_frozen_and_matches_scopes_exactly_by_default(
    validator: Any,
    token_cache: ValidatedTokenCache,
    deny_list: DenyList,
    binding: BindingCheck,
    cache: SharedCache,
) -> None:
    authenticators = Authenticators(
        lambda _: Authenticator(
            [validator],
            token_cache=token_cache,
            deny_list=deny_list,
            binding=binding,
        )
    )
    health = Health(authenticators, issuers=list, deny_list=deny_list, cache=cache, binding=binding)
    context = ResourceServerContext(
        authenticators=authenticators, health=health, cors=CrossOriginPolicy([]), realm="api"
    )
    assert (ScopeMatching.EXACT, None) == (context.scope_matching, context.resource.metadata_url)
    with pytest.raises(dataclasses.FrozenInstanceError):
        context.realm = "other"  # type: ignore[misc]  # the attempt under test
