"""What the program serves: routes, or an application that is protected or not."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
import sysconfig
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest
import servers
from programs import LOG_PIPE_SIZE, Start, clean_environment, curl, free_port, listening
from recording_instrumentation import RecordingInstrumentation

import fakeissuer
from service import ResourceServerApplication, Settings, SettingsError
from service.__main__ import main
from service.operations.loading import load_routes, load_service
from service.web.endpoints.okta_guide import ROUTES as ROUTES_OF_THE_GUIDE

TOKEN = "operators-only-0123456789-abcdefghij"
OKTA = "https://dev-123456.okta.com/oauth2/default"
SHOP = """
import asyncio
import functools

import tornado.web

from service import BearerAuthMixin, Settings, make_app, protect


class Orders(BearerAuthMixin, tornado.web.RequestHandler):
    scopes = "orders:read"

    def get(self):
        self.write({"user": self.principal.subject})


class Upload(BearerAuthMixin, tornado.web.RequestHandler):
    public = True

    def post(self):
        self.write({"received": len(self.request.body)})


class Slow(BearerAuthMixin, tornado.web.RequestHandler):
    public = True

    async def get(self):
        self.write("started ")
        await self.flush()
        await asyncio.sleep(1)
        self.write("done")


ROUTES = [(r"/orders", Orders), (r"/upload", Upload), (r"/slow", Slow)]
OWN = Settings.from_keywords(issuer="https://dev-654321.okta.com/oauth2/default")


def without_argument():
    return tornado.web.Application(ROUTES)


def with_settings(settings):
    assert isinstance(settings, Settings)
    return tornado.web.Application(ROUTES)


def with_default(settings=None):
    return with_settings(settings)


def with_keyword(*, settings):
    return with_settings(settings)


with_partial = functools.partial(with_settings)


async def with_coroutine(settings):
    return make_app(settings, routes=ROUTES)


class Shop(tornado.web.Application):
    def __init__(self):
        super().__init__(ROUTES)


def protected_with_own_settings():
    application = without_argument()
    protect(application, OWN)
    return application


def guard_with_own_settings():
    return protect(without_argument(), OWN)


def two_arguments(settings, more): ...


def nothing(): ...


def routes():
    return ROUTES


def unprotected():
    return tornado.web.Application([(r"/old", tornado.web.RedirectHandler, {"url": "/"})])


def failing():
    raise RuntimeError("a mistake\\nof its author")


def misconfigured():
    return make_app(Settings.from_keywords(), routes=ROUTES)


TEXT = "shop"
"""
APPLICATION = """
from shop import without_argument
application = without_argument()
"""


def _python_path(folder: Path) -> str:
    return os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "shop.py").write_text(SHOP)
    (tmp_path / "application.py").write_text(APPLICATION)
    (tmp_path / "unset.py").write_text("from service import Settings\nSettings.from_keywords()\n")
    return tmp_path


@pytest.fixture
def load(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], ResourceServerApplication]:
    """Return a function that loads the application at a path, and closes it."""
    monkeypatch.syspath_prepend(folder)
    for module in ("shop", "application"):
        monkeypatch.delitem(sys.modules, module, raising=False)

    async def loading(path: str, **settings: str) -> ResourceServerApplication:
        service = await load_service(Settings.from_keywords(app=path, **settings))
        await service.close()
        return service

    def load(path: str, **settings: str) -> ResourceServerApplication:
        return asyncio.run(loading(path, **settings))

    return load


@pytest.mark.parametrize(
    "path",
    [
        "application:application", "shop:without_argument", "shop:with_settings", "shop:with_default",
        "shop:with_keyword", "shop:with_partial", "shop:with_coroutine", "shop:Shop",
    ],
)  # fmt: skip
def test_an_application_is_protected_with_the_settings_of_the_program(
    path: str, load: Callable[..., ResourceServerApplication]
) -> None:
    service = load(path, issuer=OKTA)
    assert service.protected.settings["resource_server"] is service.settings["resource_server"]
    assert OKTA == service.settings["resource_server"].resource.authorization_servers[0]


@pytest.mark.parametrize("path", ["shop:protected_with_own_settings", "shop:guard_with_own_settings"])
def test_a_protected_application_keeps_its_own_settings(
    path: str, load: Callable[..., ResourceServerApplication]
) -> None:
    service = load(path)
    assert service.protected is not service
    assert ("https://dev-654321.okta.com/oauth2/default",) == (
        service.settings["resource_server"].resource.authorization_servers
    )


APPLICATIONS = {
    "no module": ("no.such:app", "ModuleNotFoundError: No module named 'no'"),
    "no attribute": ("shop:NOTHING", "has no attribute 'NOTHING'"),
    "no colon": ("shop", "expected package.module:attribute"),
    "a text": ("shop:TEXT", "is an object of the type str; expected a tornado.web.Application"),
    "a list of routes": ("shop:ROUTES", "name a list of routes with --routes in place of --app"),
    "a handler": ("shop:Orders", "is the class Orders; expected a tornado.web.Application"),
    "a function with two parameters": ("shop:two_arguments", "has other parameters; expected"),
    "a function that returns nothing": ("shop:nothing", "returned None; expected"),
    "a function that returns routes": ("shop:routes", "name a list of routes with --routes in place of --app"),
    "a function that fails": ("shop:failing", "raised an error: RuntimeError: a mistake of its author (shop.py, line "),
    "an unprotected handler": ("shop:unprotected", "leads to GET of tornado.web.RedirectHandler, which is neither"),
    "a module without an issuer": ("unset:application", "issuer: is not set"),
    "a function without an issuer": ("shop:misconfigured", "issuer: is not set"),
}


@pytest.mark.parametrize(("path", "problem"), APPLICATIONS.values(), ids=APPLICATIONS)
def test_an_object_that_is_no_application_is_a_settings_error(
    path: str, problem: str, load: Callable[..., ResourceServerApplication]
) -> None:
    with pytest.raises(SettingsError) as rejection:
        load(path, issuer=OKTA)
    (message,) = rejection.value.problems
    assert problem in message
    assert "\n" not in message


def test_an_unprotected_application_requires_an_issuer(load: Callable[..., ResourceServerApplication]) -> None:
    with pytest.raises(SettingsError, match="issuer: is not set; set OKTA_OAUTH2_ISSUER"):
        load("shop:without_argument")
    with pytest.raises(SettingsError, match="configure an issuer"):
        load("shop:with_coroutine")


def test_application_and_routes_are_not_set_together() -> None:
    with pytest.raises(SettingsError, match="app: is set together with routes"):
        Settings.from_keywords(issuer=OKTA, app="shop:app", routes=["shop:ROUTES"])


@pytest.mark.parametrize("processes", ["1", "2"])
@pytest.mark.parametrize("path", ["application:application", "shop:with_coroutine"])
def test_an_application_has_the_processes_limits_metrics_and_admin_port_of_the_program(
    path: str, processes: str, start: Start, folder: Path
) -> None:
    port = free_port()
    with servers.running("redis") as cache, fakeissuer.running() as issuer:
        process = start(
            "service", "--processes", processes, "--port", "0", "--admin-port", str(port), "--app", path,
            PYTHONPATH=_python_path(folder), SERVICE_CACHE_URL=cache.url, SERVICE_CACHE_SECRET="s" * 32,
            SERVICE_ADMIN_TOKEN=TOKEN,
            SERVICE_MAX_BODY_SIZE="1000", OKTA_OAUTH2_ISSUER=issuer.issuer_url(),
        )  # fmt: skip
        url, token = listening(process), issuer.token(sub="mallory@example.com", scp="orders:read")
        bearer = ["-H", f"Authorization: Bearer {token}", f"{url}/orders"]
        assert (200, '{"user": "mallory@example.com"}') == curl(*bearer)
        assert 401 == curl(f"{url}/orders")[0]
        assert (200, '{"received": 1000}') == curl("-d", "x" * 1000, f"{url}/upload")
        assert 413 == curl("-d", "x" * 1001, f"{url}/upload")[0]
        text = curl(f"http://127.0.0.1:{port}/metrics")[1]
        assert 'resource_server_rejections_total{reason="missing_token"} 1.0' in text
        assert re.search(r'duration_seconds_count{[^}]*"200",http_route="/orders"[^}]*} 1\.0', text)
        assert f'url="{issuer.issuer_url()}/v1/keys"' in text
        assert 200 == curl(f"http://127.0.0.1:{port}/readyz")[0]
        admin = [
            "-H",
            f"Authorization: Bearer {TOKEN}",
            f"http://127.0.0.1:{port}/deny-list",
        ]
        assert 201 == curl("-d", '{"sub": "mallory@example.com"}', *admin)[0]
        end = time.monotonic() + 10
        while 401 != curl(*bearer)[0]:  # until the entry has reached the other process
            assert time.monotonic() < end
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)
        assert 0 == process.returncode


def test_a_stop_waits_for_the_requests_of_a_protected_application(start: Start, folder: Path) -> None:
    process = start(
        "service", "--port", "0", "--app", "application:application", "--issuer", OKTA, PYTHONPATH=_python_path(folder)
    )
    url = listening(process)
    with urllib.request.urlopen(f"{url}/slow", timeout=20) as slow:  # noqa: S310  # ours
        assert b"started " == slow.read(8)
        process.send_signal(signal.SIGTERM)
        assert b"done" == slow.read()
    assert "pending requests dropped" not in process.communicate(timeout=20)[1]


@pytest.mark.parametrize("option", ["--app=application:application", "--routes=shop:ROUTES"])
@pytest.mark.parametrize(
    "program", [[f"{sysconfig.get_path('scripts')}/resource-server"], [sys.executable, "-m", "service"]]
)
def test_a_module_in_the_current_folder_is_found(option: str, program: list[str], folder: Path) -> None:
    environment = clean_environment()
    environment.pop("PYTHONSAFEPATH", None)
    process = subprocess.Popen(
        [*program, "--port", "0", "--issuer", OKTA, option],
        cwd=folder,
        env=environment,
        stderr=subprocess.PIPE,
        pipesize=LOG_PIPE_SIZE,
        text=True,
    )
    try:
        with pytest.raises(urllib.error.HTTPError, match="401"):
            urllib.request.urlopen(f"{listening(process)}/orders", timeout=5)  # noqa: S310  # ours
    finally:
        process.terminate()
        process.communicate(timeout=20)


def test_check_prints_the_routes_of_an_application(start: Start, folder: Path) -> None:
    with fakeissuer.running() as issuer:
        process = start(
            "service", "check", "--app", "shop:with_settings", "--routes", "--issuer", issuer.issuer_url(),
            PYTHONPATH=_python_path(folder),
        )  # fmt: skip
        out, err = process.communicate(timeout=30)
    assert 0 == process.returncode, err
    assert "orders:read" in out


@pytest.mark.parametrize("command", [["check"], ["explain", "a.b.c"]])
def test_a_command_about_an_issuer_requires_one(
    command: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    assert 2 == main([*command, "--app", "shop:protected_with_own_settings"])
    assert "issuer: is not set" in capsys.readouterr().err


def test_the_receiver_of_the_program_is_added_to_that_of_a_protected_application(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(folder)
    receiver = RecordingInstrumentation()

    async def loading() -> None:
        settings = Settings.from_keywords(app="shop:protected_with_own_settings")
        service = await load_service(settings, instrumentation=receiver)
        assert [receiver] == service.observers.receivers
        await service.close()

    asyncio.run(loading())


ROUTES = {
    "no module": ("no.such:ROUTES", "ModuleNotFoundError: No module named 'no'"),
    "no attribute": ("made:NOTHING", "has no attribute 'NOTHING'"),
    "no colon": ("made", "expected package.module:attribute"),
    "no list": ("made:TEXT", "to be a list of routes"),
    "an application": ("made:APP", "list of routes; name an application, or a function that returns one, with --app"),
    "a function": ("made:make_app", "list of routes; name an application, or a function that returns one, with --app"),
    "a route without a handler": ("made:SHORT", "a pattern and a handler: AssertionError"),
    "a handler that cannot be imported": ("made:NOWHERE", "a pattern and a handler: ModuleNotFoundError"),
    "an invalid pattern": ("made:PATTERN", "a pattern and a handler: "),
    "a module that fails": ("fails:ROUTES", "RuntimeError: a mistake of its author (fails.py, line 2)"),
}


@pytest.mark.parametrize(("path", "problem"), ROUTES.values(), ids=ROUTES)
def test_routes_that_cannot_be_mounted_are_a_settings_error(
    path: str, problem: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "made.py").write_text(
        "import tornado.web\nmake_app = tornado.web.Application\nAPP = make_app()\n"
        'TEXT = "ROUTES"\nSHORT = [("/a",)]\nNOWHERE = [("/a", "no.such.Handler")]\nPATTERN = [("(", "made.TEXT")]\n'
    )
    (tmp_path / "fails.py").write_text('"""Its author made one."""\nraise RuntimeError("a mistake\\nof its author")\n')
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(SettingsError) as rejection:
        load_routes([path])
    (message,) = rejection.value.problems
    assert message.startswith(f"routes: was {path!r}; ")
    assert problem in message
    assert "\n" not in message


def test_routes_of_all_named_modules_are_loaded() -> None:
    assert load_routes([]) is None
    assert [*ROUTES_OF_THE_GUIDE, *ROUTES_OF_THE_GUIDE] == load_routes(["service.web.endpoints.okta_guide:ROUTES"] * 2)
