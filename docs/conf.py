"""The documentation site: python -m sphinx -W --keep-going docs site, and open site/index.html. It needs no server."""

from __future__ import annotations

import sys
from importlib.metadata import version as installed
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import make_reference

project = "pytest-model-check"
author = copyright = "The pytest-model-check maintainers"  # noqa: A001 - Sphinx's name
version = release = installed(project)

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["ci", "README.md"]
myst_heading_anchors = 3
napoleon_google_docstring = False
napoleon_use_rtype = False
autodoc_typehints = "none"  # numpydoc says it
autodoc_member_order = "bysource"
suppress_warnings = ["myst.header"]  # the examples are comments as they were posted, and begin with a smaller heading

smartquotes = False  # two dashes begin an option

html_theme = "furo"
html_title = f"{project} {release}"
html_copy_source = html_show_sourcelink = False
html_theme_options = {"navigation_with_keys": True}


def setup(app: object) -> None:
    """Write the reference from the code before Sphinx looks which pages there are."""
    app.connect("builder-inited", lambda app: make_reference.write(Path(app.srcdir) / "reference"))
    app.connect("source-read", make_reference.adapt)
