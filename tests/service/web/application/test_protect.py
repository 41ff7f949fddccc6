from __future__ import annotations

from collections.abc import Callable

import pytest
from tornado.httpclient import AsyncHTTPClient
from tornado.web import Application, RedirectHandler, RequestHandler

from service.app import make_app
from service.errors import SettingsError
from service.settings.program import Settings
from service.web.application.application import ResourceServerApplication
from service.web.application.protect import protect_application
from service.web.endpoints.okta_guide import NotFound, WhoAmI
from service.web.handler.mixin import BearerAuthMixin


@pytest.fixture
def app(serve: Callable[..., ResourceServerApplication]) -> ResourceServerApplication:
    return serve([])


def test_a_failed_audit_leaves_another_application_unchanged(
    app: ResourceServerApplication,
) -> None:
    application = Application([(r"/old", RedirectHandler, {"url": "/"})])
    with pytest.raises(SettingsError, match="RedirectHandler"):
        protect_application(application, app)
    assert {} == application.settings
    application = Application([(r"/whoami", WhoAmI)])
    protect_application(application, app)
    assert NotFound is application.settings["default_handler_class"]


@pytest.mark.gen_test
async def test_routes_added_to_another_application_are_audited(app: ResourceServerApplication) -> None:
    application = Application([])
    protect_application(application, app)
    with pytest.raises(SettingsError, match="RedirectHandler"):
        application.add_handlers(r".*", [(r"/later", RedirectHandler, {"url": "/"})])
    application.add_handlers(r".*", [(r"/later", WhoAmI)])
    server = application.listen(0, "127.0.0.1")
    (socket,) = server._sockets.values()
    url = f"http://127.0.0.1:{socket.getsockname()[1]}/later"
    assert 401 == (await AsyncHTTPClient().fetch(url, raise_error=False)).code
    server.stop()


def test_another_application_cannot_require_an_unknown_validation() -> None:
    service = make_app(Settings(issuer="https://dev-1.okta.com/oauth2/default"), routes=())
    handler = type("Handler", (BearerAuthMixin, RequestHandler), {"validation": "introspectoin"})
    with pytest.raises(SettingsError, match="introspectoin"):
        protect_application(Application([(r"/x", handler)]), service)


def test_another_application_keeps_its_default_handler(app: ResourceServerApplication) -> None:
    application = Application([], default_handler_class=WhoAmI)
    protect_application(application, app)
    assert WhoAmI is application.settings["default_handler_class"]
