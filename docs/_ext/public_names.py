"""Sphinx extension: let a signature that names an object by its module refer to the object's public name.

Annotations hold ``service.tokens.principal.Principal``, and the page documents ``service.Principal``.
A type that is not public has no entry; its name is shown without a link.
"""

from __future__ import annotations

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

import fakeissuer
import service


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the extension."""
    app.connect("missing-reference", _refer_to_public_name)
    return {"parallel_read_safe": True}


def _refer_to_public_name(
    app: Sphinx, env: BuildEnvironment, node: addnodes.pending_xref, content: nodes.TextElement
) -> nodes.Node | None:
    module, _, name = node["reftarget"].rpartition(".")
    if node.get("refdomain") != "py" or not module:
        return None
    for package in (service, fakeissuer):
        if not module.startswith(f"{package.__name__}.") or name not in package.__all__:
            continue
        domain = env.get_domain("py")
        target = f"{package.__name__}.{name}"
        return domain.resolve_xref(env, node["refdoc"], app.builder, "obj", target, node, content)
    return content if module.split(".")[0] in {"service", "fakeissuer"} else None
