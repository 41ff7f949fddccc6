from __future__ import annotations

from collections.abc import Iterator

import pytest
from recording_instrumentation import RecordingInstrumentation
from tornado.httpclient import AsyncHTTPClient
from tornado.ioloop import IOLoop
from tornado.web import Application, RequestHandler, StaticFileHandler

from service import BearerAuthMixin, Settings, SettingsError, make_app, protect, public

SETTINGS = Settings.from_keywords(issuer="https://dev-123456.okta.com/oauth2/default")


class Visits(BearerAuthMixin, RequestHandler):
    public = True

    def get(self) -> None:
        self.set_signed_cookie("visits", "1")
        self.write(self.settings["greeting"])


ROUTES = [(r"/visits", Visits), (r"/private", type("Private", (BearerAuthMixin, RequestHandler), {}))]
OWN = {"cookie_secret": "of-the-application", "greeting": "hello"}


@pytest.fixture
def instrumentation() -> RecordingInstrumentation:
    return RecordingInstrumentation()


@pytest.fixture
def app(way: str, io_loop: IOLoop, instrumentation: RecordingInstrumentation) -> Iterator[Application]:
    if way == "make_app":
        guard = make_app(SETTINGS, routes=ROUTES, tornado_settings=OWN, instrumentation=instrumentation)
    else:
        application = Application(ROUTES, cookie_secret="earlier", greeting="earlier")
        guard = protect(application, SETTINGS, tornado_settings=OWN, instrumentation=instrumentation)
    yield guard.protected
    io_loop.run_sync(guard.close)


@pytest.mark.parametrize("way", ["make_app", "protect"])
@pytest.mark.gen_test
async def test_handlers_have_the_settings_and_the_observer_has_the_responses(
    way: str, http_client: AsyncHTTPClient, base_url: str, instrumentation: RecordingInstrumentation
) -> None:
    response = await http_client.fetch(f"{base_url}/visits")
    assert (b"hello", "visits") == (response.body, response.headers["Set-Cookie"].partition("=")[0])
    assert 401 == (await http_client.fetch(f"{base_url}/private", raise_error=False)).code
    assert [("GET", 200, None), ("GET", 401, "missing_token")] == instrumentation.responses


@pytest.mark.gen_test
async def test_static_files_are_served_if_their_handler_is_public() -> None:
    static = {"static_path": "static", "static_handler_class": public(StaticFileHandler)}
    guard = make_app(SETTINGS, routes=ROUTES, tornado_settings=static | {"documentation": "of the application"})
    assert "of the application" == guard.settings["documentation"]
    await guard.close()
    with pytest.raises(SettingsError, match="StaticFileHandler"):
        make_app(SETTINGS, routes=ROUTES, tornado_settings={"static_path": "static"})


@pytest.mark.parametrize(
    ("name", "advice"),
    [("log_function", "pass access_log to make_app"), ("resource_server", "leave it out"), ("handlers", "mount")],
)
def test_a_setting_without_effect_is_rejected_by_make_app(name: str, advice: str) -> None:
    with pytest.raises(SettingsError, match=f"tornado_settings: {name} .*{advice}"):
        make_app(SETTINGS, routes=ROUTES, tornado_settings={name: None})


@pytest.mark.parametrize("name", ["debug", "static_path", "compress_response", "ui_modules", "resource_server"])
def test_a_setting_without_effect_is_rejected_by_protect(name: str) -> None:
    application = Application(ROUTES)
    with pytest.raises(SettingsError, match=f"tornado_settings: {name} "):
        protect(application, SETTINGS, tornado_settings={name: None})
    assert {} == application.settings


def test_the_default_handler_in_the_settings_is_checked() -> None:
    application = Application(ROUTES)
    with pytest.raises(SettingsError, match="anything else"):
        protect(application, SETTINGS, tornado_settings={"default_handler_class": RequestHandler})
    assert {} == application.settings
