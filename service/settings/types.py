"""Types of settings with checks of their own."""

from __future__ import annotations

import re
import urllib.parse
from typing import Annotated

from pydantic import AfterValidator, Field

from service.settings.issuers import Texts
from service.urls import parse_origin

_RESOURCE = re.compile(r"https?://[A-Za-z0-9\-._~%:\[\]]+(?:/[A-Za-z0-9\-._~%!$&'()*+,;=:@/]*)?", re.ASCII)  # RFC 3986


def _check_origins(origins: tuple[str, ...]) -> tuple[str, ...]:
    for origin in origins:
        parse_origin(origin)
    return origins


def _check_public_url(url: str) -> str:
    parts = urllib.parse.urlsplit(url)
    if not _RESOURCE.fullmatch(url) or not parts.hostname or parts.port == 0:  # `port` raises ValueError from 65536 on
        raise ValueError("expected http(s)://host[:port][/path], as clients use it, without query and fragment")
    return url


Port = Annotated[int, Field(ge=0, le=65535)]
Origins = Annotated[Texts, AfterValidator(_check_origins)]
PublicURL = Annotated[str, AfterValidator(_check_public_url)]
