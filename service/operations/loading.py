"""Imports what the program serves: routes, or a Tornado application that may be protected already."""

from __future__ import annotations

import importlib
import inspect
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import tornado.web
from tornado.routing import AnyMatches, Rule

from service.app import all_routes, make_app, make_documentation, protect
from service.errors import SettingsError
from service.instrumentation import Instrumentation
from service.settings.problems import NO_ISSUER
from service.settings.program import Settings
from service.web.application.access_log import AccessLog, log_response
from service.web.application.application import ResourceServerApplication
from service.web.application.protect import find_guard


async def load_service(
    settings: Settings, *, instrumentation: Instrumentation | None = None, access_log: AccessLog = log_response
) -> ResourceServerApplication:
    """Return the application that validates the tokens: that of the routes, or the guard of the setting ``app``.

    Args:
        instrumentation: Receives the events, beside any receiver that a protected application has.
        access_log: Receives the fields of each response, unless the setting ``app`` names another application.

    Raises:
        SettingsError: The routes or the application cannot be imported or protected.
    """
    if settings.app is None:
        routes = load_routes(settings.routes)
        return make_app(settings, routes=routes, instrumentation=instrumentation, access_log=access_log)
    application = await load_application(settings.app, settings)
    guard = find_guard(application)
    if guard is None:
        if not settings.trusted_issuers:
            raise SettingsError([NO_ISSUER])
        return protect(application, settings, instrumentation=instrumentation)
    if instrumentation is not None:
        guard.observers.add(instrumentation)
    return guard


async def find_routes(settings: Settings) -> list[Any]:
    """Return the routes that the program would serve.

    Raises:
        SettingsError: The routes or the application cannot be imported or protected.
    """
    if settings.app is None:
        own = load_routes([path for path in settings.routes if path])
        return all_routes(settings, own, documentation=make_documentation(settings))
    service = await load_service(settings)
    await service.close()
    return [Rule(AnyMatches(), service.protected)]


async def load_application(path: str, settings: Settings) -> tornado.web.Application:
    """Return the Tornado application at ``package.module:attribute``, or the one that a function there returns.

    The function takes no argument or the settings, and may be a coroutine function.

    Raises:
        SettingsError: The path cannot be imported, the function raises an error, or there is no application.
    """
    loaded = _import("app", path)
    if isinstance(loaded, tornado.web.Application):
        return loaded
    if not _is_factory(loaded):
        raise SettingsError([f"app: {path} is {_describe(loaded)}; {_EXPECTED}{_hint(loaded)}"])
    try:
        application = _call(loaded, settings)
        if inspect.isawaitable(application):
            application = await application
    except SettingsError:
        raise
    except _WrongParameters:
        raise SettingsError([f"app: {path} has other parameters; {_EXPECTED}"]) from None
    except Exception as exc:  # a user's function may raise anything
        raise SettingsError([f"app: {path} raised an error: {_describe_error(exc)}"]) from exc
    if not isinstance(application, tornado.web.Application):
        raise SettingsError([f"app: {path} returned {_describe(application)}; {_EXPECTED}{_hint(application)}"])
    return application


def load_routes(paths: Sequence[str]) -> list[Any] | None:
    """Return the routes at each ``package.module:attribute``, or None if there is no path.

    Raises:
        SettingsError: A path cannot be imported, or Tornado cannot mount the routes.
    """
    routes: list[Any] = []
    for path in paths:
        loaded = _import("routes", path)
        if not isinstance(loaded, list | tuple):
            problem = f"routes: was {path!r}; expected package.module:attribute to be a list of routes"
            if callable(loaded) or isinstance(loaded, tornado.web.Application):
                problem += "; name an application, or a function that returns one, with --app"
            raise SettingsError([problem])
        try:
            tornado.web.Application(list(loaded))
        except Exception as exc:  # Tornado asserts, unpacks, imports and compiles
            problem = f"routes: was {path!r}; expected each route to be a pattern and a handler: {_describe_error(exc)}"
            raise SettingsError([problem]) from exc
        routes += loaded
    return routes if paths else None


class _WrongParameters(Exception):
    """A function requires arguments that the program does not have."""


_EXPECTED = "expected a tornado.web.Application, or a function that returns one and takes the settings or no argument"


def _import(setting: str, path: str) -> Any:
    """Return the attribute at ``package.module:attribute``; the current folder is searched first."""
    module, _, attribute = path.partition(":")
    # A console script would search its own folder instead. PYTHONSAFEPATH forbids both.
    if not sys.flags.safe_path and (folder := str(Path.cwd())) not in sys.path:
        sys.path.insert(0, folder)
    try:
        return getattr(importlib.import_module(module), attribute)
    except SettingsError:  # of an application that the module makes
        raise
    except Exception as exc:  # a user's module may raise anything
        problem = f"{setting}: was {path!r}; expected package.module:attribute: {_describe_error(exc)}"
        raise SettingsError([problem]) from exc


def _is_factory(loaded: object) -> bool:
    is_handler = isinstance(loaded, type) and issubclass(loaded, tornado.web.RequestHandler)
    return callable(loaded) and not is_handler


def _call(factory: Callable[..., Any], settings: Settings) -> Any:
    """Call a function with the settings if it has a parameter for them.

    Raises:
        _WrongParameters: It requires other arguments.
    """
    parameters = [
        parameter
        for parameter in inspect.signature(factory).parameters.values()
        if parameter.kind not in {parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD}
    ]
    required = [parameter for parameter in parameters if parameter.default is parameter.empty]
    receiving = required or [parameter for parameter in parameters if parameter.name == "settings"]
    if len(receiving) > 1:
        raise _WrongParameters
    if not receiving:
        return factory()
    (parameter,) = receiving
    return factory(**{parameter.name: settings}) if parameter.kind == parameter.KEYWORD_ONLY else factory(settings)


def _describe(value: object) -> str:
    if value is None:
        return "None"
    return (
        f"the class {value.__qualname__}"
        if isinstance(value, type)
        else f"an object of the type {type(value).__qualname__}"
    )


def _hint(value: object) -> str:
    if isinstance(value, list | tuple):
        return "; name a list of routes with --routes in place of --app"
    return ""


def _describe_error(error: Exception) -> str:
    """Return an exception as one line, with file and line number."""
    *_, last = traceback.extract_tb(error.__traceback__)
    words = " ".join(str(error).split())
    return f"{type(error).__name__}: {words} ({Path(last.filename).name}, line {last.lineno})"
