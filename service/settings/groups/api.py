"""The settings of the API: its realm, scopes, origins, addresses and routes."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from service.settings.profiles.texts import Texts
from service.settings.types import Origins, PublicURL


class APISettings(BaseModel):
    """The part of the settings that concerns the API and its clients."""

    model_config = ConfigDict(defer_build=True)

    realm: str = Field(default="api", pattern=r"^[\x20-\x21\x23-\x5b\x5d-\x7e]*$")
    """The ``realm`` of challenges, and the title of the OpenAPI document."""
    scope_matching: Literal["exact", "wildcard", "hierarchy"] = "exact"
    """How granted scopes are compared with required ones: ``things:*`` or ``things`` can include ``things:read``."""
    cors_origins: Origins = ()
    """The origins whose pages may call the API; ``https://*.example.com`` stands for all subdomains."""
    head_as_get: bool = False
    """Whether the ``get`` of a handler without a ``head`` also responds to HEAD: the same header fields, no content."""
    public_url: PublicURL | None = None
    """The URL by which clients know the API; if set, challenges name the metadata of RFC 9728."""
    docs: bool | None = None
    """Whether ``/docs`` and ``/openapi.json`` are served; if not set, by ``make_app`` but not by ``protect``."""
    docs_client_id: str | None = None
    """The client ID with which ``/docs`` signs users in."""
    routes: Texts = ()
    """The routes to serve, each as ``module:attribute``; the endpoints of Okta's guide if empty."""
    app: str | None = None
    """The Tornado application to serve in place of ``routes``, or a function that returns it, as ``module:attribute``.

    It is protected with these settings unless it is protected already.
    """
