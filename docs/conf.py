"""How Sphinx builds the documentation."""

from importlib.metadata import version as installed_version

project = "dout"
author = "The dout authors"
project_copyright = "2026, The dout authors"
release = version = installed_version("dout")

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build"]
nitpicky = False

myst_enable_extensions = ["deflist", "dollarmath"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
napoleon_numpy_docstring = False
napoleon_use_ivar = True

html_theme = "furo"
html_title = "dout"
