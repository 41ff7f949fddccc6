"""Configuration of Sphinx; ``tox -e docs`` builds the site."""

from __future__ import annotations

import sys
from pathlib import Path

import service

sys.path.append(str(Path(__file__).parent / "_ext"))

project = "tornado-resource-server"
author = "The tornado-resource-server authors"
project_copyright = author
release = version = service.__version__

extensions = ["sphinx.ext.autodoc", "sphinx.ext.napoleon", "public_names", "relative_links"]
exclude_patterns = ["_build"]
repository_url = "https://github.com/tornado-resource-server/tornado-resource-server"

html_theme = "furo"
html_title = f"{project} {release}"
html_theme_options = {
    "source_repository": repository_url,
    "source_branch": "main",
    "source_directory": "docs/",
}

autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
autodoc_default_options = {"show-inheritance": True}
# A literal block's language is given where it is not Python; reST's ``::`` shows plain text.
highlight_language = "text"

# The build reads nothing from the network, so names of other packages lead nowhere.
nitpick_ignore_regex = [(r"py:.*", r"(?!service\b|fakeissuer\b).*")]
