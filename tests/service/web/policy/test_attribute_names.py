from __future__ import annotations

from typing import Any

import pytest
import tornado.web
import tornado.websocket

from service.web.handler.mixin import BearerAuthMixin
from service.web.policy.policy import Policy
from service.web.routing.wrap import protected, public

MISTYPED = {
    "scope": "scopes",
    "scopess": "scopes",
    "scops": "scopes",
    "Scopes": "scopes",
    "SCOPES": "scopes",
    "group": "groups",
    "claim": "claims",
    "publik": "public",
    "optinal": "optional",
    "allowed_client": "allowed_clients",
    "acr_value": "acr_values",
    "scpoes": "scopes",
    "maxAge": "max_age",
    "cors_origin": "cors_origins",
    "token_source": "token_sources",
    "maxage": "max_age",
    "required_scopes": "scopes",
    "permissions": "scopes",
    "required_roles": "roles",
    "acr": "acr_values",
}


@pytest.mark.parametrize(("name", "expected"), MISTYPED.items())
def test_a_mistyped_attribute_raises_at_class_creation(name: str, expected: str) -> None:
    with pytest.raises(TypeError, match=f"Mistyped: {name} has no effect; did you mean {expected}"):
        type("Mistyped", (BearerAuthMixin, tornado.web.RequestHandler), {name: "things:read"})


def test_the_attributes_of_other_base_classes_are_not_checked() -> None:
    names: dict[str, object] = {"scope": "things:read", "group": "a", "claim": None, "validator": "", "is_public": True}
    foreign = type("Foreign", (tornado.web.RequestHandler,), names)
    type("Fine", (BearerAuthMixin, foreign), {"public": True})


@pytest.mark.parametrize("name", ["validator", "authorizer", "is_public", "claimed", "grouping", "publish", "source"])
def test_other_words_are_accepted(name: str) -> None:
    type("Fine", (BearerAuthMixin, tornado.web.RequestHandler), {name: "a"})


@pytest.mark.parametrize("name", ["authorise", "authorized", "Authorize", "authorizer"])
def test_a_method_for_a_principal_with_a_name_like_authorize_raises(name: str) -> None:
    for method in (lambda _self, principal: principal, lambda _self, _principal: True):
        with pytest.raises(TypeError, match=f"Wrong: {name} is never called; did you mean authorize"):
            type("Wrong", (BearerAuthMixin, tornado.web.RequestHandler), {name: method})
    type("Fine", (BearerAuthMixin, tornado.web.RequestHandler), {name: lambda _self, user: user})


FOREIGN_NAMES: dict[str, object] = {
    "scope": "a", "group": "wheel", "claim": {"a": 1}, "validator": "json", "role": ["admin"], "permissions": (),
    "is_public": True, "authorizer": object(), "public": True, "optional": True, "openapi": {}, "cors_origins": "*",
    "token_cookie": "a", "policy": {"default-src": "none"}, "sources": {}, "principal": None, "groups": lambda _s: [],
    "claims": property(lambda _self: {}), "scopes": None, "roles": None, "authorized": lambda _self, _principal: True,
    "authorise": lambda _self, _principal: True, "_context": 1,
}  # fmt: skip
"""Names that handlers of other packages have, with values that state no requirement of this library."""


@pytest.mark.parametrize("bases", [(tornado.web.RequestHandler,), (tornado.websocket.WebSocketHandler,)])
def test_the_names_of_handlers_of_other_packages_are_not_checked(bases: tuple[type, ...]) -> None:
    foreign: Any = type("Foreign", bases, FOREIGN_NAMES | {"__module__": "flower.views"})
    mixin = type(
        "Mixin", (), {"group": "a", "authorized": lambda _self, _principal: True, "__module__": "flower.views"}
    )
    below: Any = type("Below", (mixin, foreign), {"__module__": "flower.views"})
    for kind in (foreign, below):
        own: Any = type("Own", (BearerAuthMixin, kind), {})
        handlers: list[Any] = [protected(kind), public(kind), protected(kind, scopes="a"), own]
        for handler in handlers:
            assert handler.policy.requirements["GET"].public == handler.public
            type("Mine", (handler,), {})


def test_a_requirement_of_a_handler_of_another_package_is_not_taken_over() -> None:
    foreign = type("Foreign", (tornado.web.RequestHandler,), {"scopes": "a", "__module__": "flower.views"})
    handler: Any = type("Own", (BearerAuthMixin, foreign), {})
    assert () == handler.policy.requirements["GET"].scopes.alternatives


def _assign(self: Any) -> None:
    self.groups = []


def test_an_assignment_of_a_handler_of_another_package_is_not_checked() -> None:
    attributes = {"initialize": _assign, "__module__": "flower.views"}
    type("Own", (BearerAuthMixin, type("Foreign", (tornado.web.RequestHandler,), attributes)), {})


@pytest.mark.parametrize("name", ["scope", "group", "claim", "authorise", "authorized", "is_public"])
def test_methods_and_other_objects_are_not_checked(name: str) -> None:
    for value in (lambda _self: True, property(lambda _self: True), object(), object):
        type("Fine", (BearerAuthMixin, tornado.web.RequestHandler), {name: value})


def test_a_mistyped_attribute_that_is_added_later_raises_at_start() -> None:
    handler = type("Late", (BearerAuthMixin, tornado.web.RequestHandler), {})
    handler.scope = "things:read"  # type: ignore[attr-defined]  # the mistake under test
    with pytest.raises(TypeError, match="did you mean scopes"):
        Policy.read(handler, base=BearerAuthMixin)


@pytest.mark.parametrize(
    "kind",
    [
        tornado.web.RequestHandler,
        tornado.web.StaticFileHandler,
        tornado.web.RedirectHandler,
        tornado.web.FallbackHandler,
        tornado.websocket.WebSocketHandler,
    ],
)
def test_the_attributes_of_tornado_handlers_are_accepted(kind: type) -> None:
    type("Fine", (BearerAuthMixin, kind), {"_scope": "private", "things": 1, "public": True})


@pytest.mark.parametrize("name", ["policy", "sources", "principal"])
@pytest.mark.parametrize("place", ["the class", "a plain base class"])
def test_a_read_only_attribute_raises_at_class_creation(name: str, place: str) -> None:
    bases: tuple[type, ...] = (BearerAuthMixin, tornado.web.RequestHandler)
    attributes = {name: {"scopes": "things:read"}}
    if place != "the class":
        bases, attributes = (type("Common", (), attributes), *bases), {}
    with pytest.raises(TypeError, match=f"Written: {name} cannot be set"):
        type("Written", bases, attributes)


def test_a_method_may_have_the_name_of_a_mistyped_attribute() -> None:
    fine = type("Fine", (BearerAuthMixin, tornado.web.RequestHandler), {"permissions": lambda _self: ["admin"]})
    type("Below", (fine,), {})


@pytest.mark.parametrize("name", ["scope", "permissions", "Scopes"])
@pytest.mark.parametrize(
    ("bases", "position"),
    [((), 0), ((), 1), ((tornado.web.RequestHandler,), 0)],
    ids=["a mixin before ours", "a mixin after ours", "a handler before ours"],
)
def test_a_mistyped_attribute_of_a_class_of_the_same_package_raises(
    name: str, bases: tuple[type, ...], position: int
) -> None:
    admin_only = type("AdminOnly", bases, {name: "things:delete"})
    bases = (BearerAuthMixin, *(() if bases else (tornado.web.RequestHandler,)))
    bases = (*bases[:position], admin_only, *bases[position:])
    with pytest.raises(TypeError, match=f"Wipe: {name} of AdminOnly has no effect; did you mean"):
        type("Wipe", bases, {})


def test_the_attributes_of_a_mixin_of_another_package_are_not_checked() -> None:
    foreign = type("Foreign", (), {"scope": "a", "group": "b", "claim": "c", "__module__": "flower.views"})
    type("Fine", (foreign, BearerAuthMixin, tornado.web.RequestHandler), {})


@pytest.mark.parametrize("name", ["_authenticate_request", "_requirements", "_principal", "_context", "_set_principal"])
@pytest.mark.parametrize("place", ["the class", "a mixin"])
def test_an_internal_attribute_of_ours_raises_at_class_creation(name: str, place: str) -> None:
    bases: tuple[type, ...] = (BearerAuthMixin, tornado.web.RequestHandler)
    attributes = {name: lambda _self, _principal: None}
    if place == "a mixin":
        bases, attributes = (type("Common", (), attributes), *bases), {}
    with pytest.raises(TypeError, match=f"Written: {name} cannot be set: BearerAuthMixin uses it"):
        type("Written", bases, attributes)


def test_a_class_after_the_mixin_may_have_the_same_internal_attributes() -> None:
    foreign = type("Foreign", (tornado.web.RequestHandler,), {"_context": 1, "_errors": ()})
    type("Fine", (BearerAuthMixin, foreign), {})


def test_a_helper_of_authorize_may_have_a_similar_name_with_an_underscore() -> None:
    type("Fine", (BearerAuthMixin, tornado.web.RequestHandler), {"_authorise": lambda _self, _principal: True})


def test_annotations_that_cannot_be_evaluated_are_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_kind: type) -> None:
        raise NameError("name 'Later' is not defined")

    monkeypatch.setattr("inspect.get_annotations", fail)
    type("Fine", (BearerAuthMixin, tornado.web.RequestHandler), {})


def test_an_annotation_beside_a_value_is_accepted() -> None:
    type("Fine", (BearerAuthMixin, tornado.web.RequestHandler), {"scopes": "a", "__annotations__": {"scopes": str}})
