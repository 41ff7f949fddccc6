"""A requirement that a class inherits is enforced, or its class does not start."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from tornado.web import RequestHandler

from service.tokens.principal import Principal
from service.web.handler.mixin import BearerAuthMixin
from service.web.policy.attribute_names import ATTRIBUTE_NAMES
from service.web.policy.scopes import AnyOf


class AdminOnly:
    scopes = "items:delete"


class Staff:
    groups = "Staff"


class OwnerOnly:
    def authorize(self, principal: Principal) -> bool:
        return principal.subject == "alice"


class TenantOnly:
    def authorize(self, principal: Principal) -> bool:
        return principal.claims["tenant"] == "t1" and super().authorize(principal) is True  # type: ignore[misc]  # a class beside it has one


class AdminHandler(RequestHandler):
    scopes = "items:delete"


class Protected(BearerAuthMixin, RequestHandler):
    """A handler without requirements."""


class Readers(BearerAuthMixin, RequestHandler):
    scopes = "items:read"


class Owners(BearerAuthMixin, RequestHandler):
    def authorize(self, principal: Principal) -> bool:
        return principal.subject == "alice"


def _own(**attributes: Any) -> dict[str, Any]:
    return attributes


LOST: dict[str, tuple[tuple[type, ...], str]] = {
    "scopes after the mixin": (
        (BearerAuthMixin, AdminOnly, RequestHandler),
        r"scopes of AdminOnly has no effect.*write class Wipe\(AdminOnly, BearerAuthMixin, RequestHandler\):",
    ),
    "scopes after Tornado's class": (
        (BearerAuthMixin, RequestHandler, AdminOnly),
        r"write class Wipe\(AdminOnly, BearerAuthMixin, RequestHandler\):",
    ),
    "scopes of a plain handler": (
        (BearerAuthMixin, AdminHandler),
        r"write class Wipe\(AdminHandler, BearerAuthMixin\):",
    ),
    "scopes of the base of a plain handler": (
        (BearerAuthMixin, type("Below", (AdminHandler,), {})),
        r"scopes of AdminHandler has no effect.*write class Wipe\(Below, BearerAuthMixin\):",
    ),
    "scopes after a protected handler": ((Protected, AdminOnly), r"write class Wipe\(AdminOnly, Protected\):"),
    "scopes after a handler with other scopes": ((Readers, AdminOnly), r"write class Wipe\(AdminOnly, Readers\):"),
    "scopes of two protected handlers": (
        (Readers, type("Deleters", (BearerAuthMixin, RequestHandler), {"scopes": "items:delete"})),
        "because Readers comes first; set it in the class",
    ),
    "scopes of two mixins": (
        (AdminOnly, type("Reading", (), {"scopes": "items:read"}), BearerAuthMixin, RequestHandler),
        "scopes of Reading has no effect, because AdminOnly comes first; set it in the class",
    ),
    "the second of two requirements": (
        (AdminOnly, BearerAuthMixin, Staff, RequestHandler),
        r"groups of Staff .*write class Wipe\(AdminOnly, Staff, BearerAuthMixin, RequestHandler\):",
    ),
    "authorize after the mixin": (
        (BearerAuthMixin, OwnerOnly, RequestHandler),
        r"authorize of OwnerOnly .*write class Wipe\(OwnerOnly, BearerAuthMixin, RequestHandler\):",
    ),
    "authorize after the mixin, which another one calls": (
        (TenantOnly, BearerAuthMixin, OwnerOnly, RequestHandler),
        r"authorize of OwnerOnly .*write class Wipe\(TenantOnly, OwnerOnly, BearerAuthMixin, RequestHandler\):",
    ),
    "authorize that another one does not call": (
        (OwnerOnly, TenantOnly, BearerAuthMixin, RequestHandler),
        "authorize of TenantOnly has no effect, because OwnerOnly comes first; define it in the class, and call both",
    ),
    "authorize of a handler, which a mixin does not call": (
        (OwnerOnly, type("Tenants", (TenantOnly, BearerAuthMixin, RequestHandler), {})),
        "define it in the class, and call both",
    ),
    "authorize after a handler that has one": ((Owners, TenantOnly), "define it in the class, and call both"),
}


@pytest.mark.parametrize(("bases", "message"), LOST.values(), ids=LOST.keys())
def test_a_class_that_loses_a_requirement_does_not_start(bases: tuple[type, ...], message: str) -> None:
    with pytest.raises(TypeError, match=f"^Wipe: .*{message}"):
        type("Wipe", bases, {"get": lambda _self: None})


@pytest.mark.parametrize("name", ATTRIBUTE_NAMES)
def test_each_attribute_after_the_mixin_is_noticed(name: str) -> None:
    with pytest.raises(TypeError, match=f"{name} of Other has no effect"):
        type("Wipe", (BearerAuthMixin, type("Other", (), {name: object()}), RequestHandler), {})


def test_an_own_authorize_that_calls_one_after_the_mixin_does_not_reach_it() -> None:
    with pytest.raises(TypeError, match="authorize of OwnerOnly has no effect, because BearerAuthMixin comes first"):

        class Wipe(BearerAuthMixin, OwnerOnly, RequestHandler):
            def authorize(self, principal: Principal) -> bool:
                return super().authorize(principal) is True


KEPT: dict[str, tuple[tuple[type, ...], dict[str, Any], str]] = {
    "a mixin before ours": ((AdminOnly, BearerAuthMixin, RequestHandler), {}, "items:delete"),
    "a handler before ours": ((AdminHandler, BearerAuthMixin), {}, "items:delete"),
    "a mixin before a protected handler": ((AdminOnly, Readers), {}, "items:delete"),
    "a value in the class": ((Readers, AdminOnly), _own(scopes="items:all"), "items:all"),
    "the same value": ((BearerAuthMixin, type("Other", (), {"scopes": ()}), RequestHandler), {}, ""),
    "a subclass of a mixin": (
        (type("Strict", (AdminOnly,), {"scopes": "items:all"}), AdminOnly, BearerAuthMixin, RequestHandler),
        {},
        "items:all",
    ),
    "similar names of another library": (
        (BearerAuthMixin, type("Flower", (RequestHandler,), {"claim": "a", "group": "b", "validator": "c"})),
        {},
        "",
    ),
    "a method with the name of a requirement": (
        (BearerAuthMixin, type("Wheel", (), {"groups": lambda _self: []}), RequestHandler),
        {},
        "",
    ),
    "an authorize that another one calls": ((TenantOnly, OwnerOnly, BearerAuthMixin, RequestHandler), {}, ""),
    "an authorize of the class in place of an inherited one": (
        (BearerAuthMixin, OwnerOnly, RequestHandler),
        _own(authorize=lambda _self, _principal: True),
        "",
    ),
    "an authorize of another kind": (
        (BearerAuthMixin, RequestHandler),
        _own(authorize=type("Builtin", (), {"authorize": lambda _self, _principal: True}).authorize),  # type: ignore[attr-defined]  # set above
        "",
    ),
}


@pytest.mark.parametrize(("bases", "attributes", "scopes"), KEPT.values(), ids=KEPT.keys())
def test_a_class_that_keeps_its_requirements_starts(
    bases: tuple[type, ...], attributes: dict[str, Any], scopes: str
) -> None:
    handler: Any = type("Fine", bases, attributes)
    assert ((frozenset({scopes}),) if scopes else ()) == handler.policy.requirements["POST"].scopes.alternatives


ORDERS = list(itertools.permutations((AdminOnly, Staff, OwnerOnly, BearerAuthMixin)))


@pytest.mark.parametrize("order", ORDERS, ids=lambda order: ",".join(kind.__name__ for kind in order))
def test_in_every_order_of_the_bases_the_requirements_are_enforced_or_the_class_does_not_start(
    order: tuple[type, ...],
) -> None:
    bases = (*order, RequestHandler)
    if order[-1] is not BearerAuthMixin:
        with pytest.raises(TypeError, match=r"has no effect.*write class Wipe\("):
            type("Wipe", bases, {})
        return
    handler: Any = type("Wipe", bases, {})
    requirements = handler.policy.requirements["DELETE"]
    assert ((frozenset({"items:delete"}),), (frozenset({"Staff"}),), True) == (
        requirements.scopes.alternatives,
        requirements.groups,
        handler.policy.has_authorize,
    )


def test_equal_alternatives_of_two_mixins_are_the_same_requirement() -> None:
    either = AnyOf("items:read", "items:all")
    first, second = (type(name, (), {"scopes": either}) for name in ("First", "Second"))
    handler: Any = type("Fine", (first, second, BearerAuthMixin, RequestHandler), {})
    assert 2 == len(handler.policy.requirements["GET"].scopes.alternatives)
