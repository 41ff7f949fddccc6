"""Where a server's documents and endpoints are: Okta's paths, or those of another authorization server."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from fakeissuer.model.endpoints import ENDPOINTS, ORG, EndpointName

_DEFAULT_SERVER = "default"
_SEGMENT = "(?P<server>[^/]+)"


@dataclass(frozen=True, eq=False, kw_only=True)
class Layout:
    """Templates of paths, in which ``{part}`` stands for the part of the path that names a server.

    ``part`` is that part, with ``{server}`` in it; ``segment`` turns the ID of a server into the text in its place.
    The ``root_server`` has no such part; its endpoints start with ``root_endpoints`` instead. ``documents`` are the
    paths of the OpenID Connect documents, ``oauth_documents`` those of RFC 8414. ``aliases`` are more server names.
    """

    issuer: str
    endpoints: Mapping[EndpointName, str]
    part: str = "/{server}"
    documents: tuple[str, ...] = ("{part}/.well-known/openid-configuration",)
    oauth_documents: tuple[str, ...] = ()
    root_server: str | None = None
    root_endpoints: str = ""
    segment: Callable[[str], str] = str
    aliases: Mapping[str, str] = field(default_factory=dict)

    def issuer_path(self, server_id: str) -> str:
        """Return the path of a server's issuer identifier."""
        return self.issuer.format(part=self._part(server_id, ""))

    def endpoint_paths(self, server_id: str) -> dict[EndpointName, str]:
        """Return the paths of a server's endpoints."""
        part = self._part(server_id, self.root_endpoints)
        return {name: template.format(part=part) for name, template in self.endpoints.items()}

    def document_paths(self, server_id: str) -> dict[str, str]:
        """Return the path of each of a server's documents, by the name of the document."""
        part = self._part(server_id, "")
        templates = {"openid-configuration": self.documents, "oauth-authorization-server": self.oauth_documents}
        return {name: paths[0].format(part=part) for name, paths in templates.items() if paths}

    def document_pattern(self, template: str) -> str:
        """Return the regular expression of the path of a document."""
        return self._pattern(template, "")

    def endpoint_pattern(self, name: EndpointName) -> str:
        """Return the regular expression of the path of an endpoint."""
        return self._pattern(self.endpoints[name], self.root_endpoints)

    def server_id(self, segment: str | None, server_ids: Iterable[str]) -> str:
        """Return the ID of the server that a path names; one that does not exist if the path names none of them."""
        if segment is None:
            return self.root_server or _DEFAULT_SERVER
        if segment in self.aliases:
            return self.aliases[segment]
        # The root server has no path with a segment: named there, it is a server that does not exist.
        named = (server for server in server_ids if server != self.root_server and self.segment(server) == segment)
        return next(named, f"/{segment}" if segment == self.root_server else segment)

    def _part(self, server_id: str, root_part: str) -> str:
        return root_part if server_id == self.root_server else self.part.format(server=self.segment(server_id))

    def _pattern(self, template: str, root_part: str) -> str:
        part = self.part.replace("{server}", _SEGMENT)
        if self.root_server is not None:
            part = f"(?:{part}|{root_part})"
        before, placeholder, after = template.partition("{part}")
        return re.escape(before) + (part if placeholder else "") + re.escape(after)


def _okta_endpoints() -> dict[EndpointName, str]:
    endpoints: dict[EndpointName, str] = {
        name: f"{{part}}/v1/{endpoint.path}" for name, endpoint in ENDPOINTS.items() if name != "discovery"
    }
    endpoints["register"] = f"/oauth2/v1/{ENDPOINTS['register'].path}"
    return endpoints


OKTA_LAYOUT = Layout(
    part="/oauth2/{server}",
    issuer="{part}",
    oauth_documents=(
        "{part}/.well-known/oauth-authorization-server",
        "/.well-known/oauth-authorization-server{part}",
    ),
    endpoints=_okta_endpoints(),
    root_server=ORG,
    root_endpoints="/oauth2",
)
"""Okta's paths: an org server at the root, and every other server below ``/oauth2/``."""
