"""Rejects the settings of a Tornado application that would have no effect."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from service.errors import SettingsError
from service.web.handler.context import ResourceServerContext

_RESERVED = {
    ResourceServerContext.SETTING: "is set by this package; leave it out",
    "handlers": "is no setting of Tornado; mount the routes instead",
}
_NO_EFFECT_IN_NEW = {"log_function": "has no effect; pass access_log to make_app"}
_CONSTRUCTOR_ONLY = "has an effect only when the application is created; pass it to tornado.web.Application"
_NO_EFFECT_IN_EXISTING = dict.fromkeys(
    [
        "autoreload",
        "compress_response",
        "debug",
        "default_host",
        "gzip",
        "static_handler_args",
        "static_handler_class",
        "static_path",
        "transforms",
        "ui_methods",
        "ui_modules",
    ],
    _CONSTRUCTOR_ONLY,
)


def check_settings_of_new(settings: Mapping[str, Any]) -> None:
    """Check Tornado's settings for an application of ``make_app``.

    Raises:
        SettingsError: A setting would have no effect; one sentence for each.
    """
    _check(settings, _NO_EFFECT_IN_NEW)


def check_settings_of_existing(settings: Mapping[str, Any]) -> None:
    """Check Tornado's settings for an application that was created without them.

    Raises:
        SettingsError: A setting would have no effect; one sentence for each.
    """
    _check(settings, _NO_EFFECT_IN_EXISTING)


def _check(settings: Mapping[str, Any], problems: Mapping[str, str]) -> None:
    found = [f"tornado_settings: {name} {why}" for name, why in (_RESERVED | {**problems}).items() if name in settings]
    if found:
        raise SettingsError(found)
