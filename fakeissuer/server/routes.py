"""The Tornado application that serves one issuer: handlers by path."""

from __future__ import annotations

from tornado.routing import Rule
from tornado.web import Application, url

from fakeissuer.control.access import ControlGuard
from fakeissuer.control.handlers import CONTROL_ROUTES
from fakeissuer.control.issuer_control import IssuerControl
from fakeissuer.handlers.authorize import AuthorizeHandler
from fakeissuer.handlers.base.endpoint import EndpointHandler
from fakeissuer.handlers.base.fault_injection import FaultInjector
from fakeissuer.handlers.base.handler import OktaHandler
from fakeissuer.handlers.bc_authorize import BackchannelHandler
from fakeissuer.handlers.clients import NewSecretHandler, RegisteredClientHandler, RegisterHandler
from fakeissuer.handlers.device_authorize import DeviceHandler
from fakeissuer.handlers.discovery import AuthorizationServerMetadataHandler, DiscoveryHandler
from fakeissuer.handlers.introspect import IntrospectHandler
from fakeissuer.handlers.keys import KeysHandler
from fakeissuer.handlers.logout import LogoutHandler
from fakeissuer.handlers.okta_api.authn import AuthnHandler
from fakeissuer.handlers.okta_api.authorization_server_keys import KeyRotateHandler, ServerKeysHandler
from fakeissuer.handlers.pages.activate import ActivateHandler
from fakeissuer.handlers.pages.approve import ApproveHandler
from fakeissuer.handlers.pages.base import NotFoundHandler
from fakeissuer.handlers.pages.sign_in import ConsentHandler, SignInHandler
from fakeissuer.handlers.par import ParHandler
from fakeissuer.handlers.revoke import RevokeHandler
from fakeissuer.handlers.token import TokenHandler
from fakeissuer.handlers.userinfo import UserInfoHandler
from fakeissuer.model.endpoints import ENDPOINTS
from fakeissuer.server.logs import log_request

HANDLERS: tuple[type[EndpointHandler], ...] = (
    KeysHandler,
    TokenHandler,
    IntrospectHandler,
    RevokeHandler,
    UserInfoHandler,
    AuthorizeHandler,
    LogoutHandler,
    DeviceHandler,
    BackchannelHandler,
    ParHandler,
)


_CREDENTIALS = "/api/v1/authorizationServers/(?P<server>[^/]+)/credentials"
_CLIENTS = f"/oauth2/v1/{ENDPOINTS['register'].path}"
_ORG_API: tuple[tuple[str, type[OktaHandler]], ...] = (
    (_CLIENTS, RegisterHandler),
    (f"{_CLIENTS}/(?P<client_id>[^/]+)", RegisteredClientHandler),
    (f"{_CLIENTS}/(?P<client_id>[^/]+)/lifecycle/newSecret", NewSecretHandler),
    ("/api/v1/authn", AuthnHandler),
    (f"{_CREDENTIALS}/keys", ServerKeysHandler),
    (f"{_CREDENTIALS}/lifecycle/keyRotate", KeyRotateHandler),
)
"""The part of Okta's own API that signing in, keys and the registration of clients need."""

_PAGES = (
    ("/signin", SignInHandler),
    ("/consent", ConsentHandler),
    ("/activate", ActivateHandler),
    ("/approve", ApproveHandler),
)


def make_app(control: IssuerControl, fault_injector: FaultInjector, guard: ControlGuard) -> Application:
    """Return the application that serves an issuer and its control plane."""
    okta = {"state": control.state, "fault_injector": fault_injector}
    arguments = {"control": control, "guard": guard}
    routes: list[Rule] = [url(f"/_fake{path}", handler, arguments) for path, handler in CONTROL_ROUTES]
    layout = control.state.urls.layout
    routes += [url(layout.document_pattern(path), DiscoveryHandler, okta) for path in layout.documents]
    routes += [
        url(layout.document_pattern(path), AuthorizationServerMetadataHandler, okta) for path in layout.oauth_documents
    ]
    routes += [
        url(layout.endpoint_pattern(handler.endpoint), handler, okta)
        for handler in HANDLERS
        if handler.endpoint in layout.endpoints
    ]
    routes += [url(path, handler, okta) for path, handler in _PAGES]
    if control.state.profile.has_org_server:
        routes += [url(path, handler, okta) for path, handler in _ORG_API]
    return Application(
        routes,
        default_handler_class=NotFoundHandler,
        default_handler_args=okta,
        log_function=log_request,
    )
