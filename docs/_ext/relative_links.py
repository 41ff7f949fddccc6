"""Sphinx extension: let pages link to each other by file name, which GitHub renders too.

A link such as ```step-up <step-up.rst>`__`` becomes a reference to the page, and a link to a file outside ``docs``
becomes a link to the file in the repository.
A target that does not exist is a warning.
"""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import urlsplit

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.util import logging

_log = logging.getLogger(__name__)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the extension."""
    app.add_config_value("repository_url", "", "env", str)
    app.connect("doctree-read", _resolve_links)
    return {"parallel_read_safe": True}


def _resolve_links(app: Sphinx, document: nodes.document) -> None:
    page = Path(app.env.doc2path(app.env.docname))
    root = Path(app.srcdir)
    for link in list(document.findall(nodes.reference)):
        target = urlsplit(link.get("refuri", ""))
        if not target.path or target.scheme or target.netloc:
            continue
        file = Path(os.path.normpath(page.parent / target.path))
        if not file.exists():
            _log.warning("the link leads to %s, which does not exist", target.path, location=link)
        elif file.suffix == ".rst" and file.is_relative_to(root) and not target.fragment:
            name = f"/{file.relative_to(root).with_suffix('').as_posix()}"
            reference = addnodes.pending_xref(
                "", *link.children, refdomain="std", reftype="doc", reftarget=name, refexplicit=True, refwarn=True
            )
            reference["refdoc"] = app.env.docname
            link.replace_self(reference)
        else:
            folder = "tree" if file.is_dir() else "blob"
            link["refuri"] = f"{app.config.repository_url}/{folder}/main/{file.relative_to(root.parent).as_posix()}"
