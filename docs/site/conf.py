"""Sphinx's configuration of the site; docs/build.sh runs it on what stage.py has put together."""

import os

project = "loradyn"
author = "the loradyn authors"
copyright = "2026, the loradyn authors"
version = release = os.environ["LORADYN_VERSION"]
extensions = ["myst_parser", "breathe", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
html_theme = "furo"
html_title = f"loradyn {version}"
html_static_path = [os.environ["LORADYN_STATIC"]]
html_css_files = ["katex/katex.min.css"]
html_js_files = ["katex/katex.min.js", "katex/contrib/auto-render.js", "equations.js"]
# GitHub's anchors, which the pages use.
myst_heading_anchors = 3
myst_enable_extensions = ["html_image"]
breathe_projects = {"loradyn": os.environ["LORADYN_XML"]}
breathe_default_members = ("members", "undoc-members")
autodoc_member_order = "bysource"
# The notebooks are files to download; `console` transcripts need no lexer of their own.
exclude_patterns = ["notebooks"]
suppress_warnings = ["myst.xref_missing", "myst.header"]
nitpicky = False


def setup(app):
    # |M| is an absolute value, no substitution of reStructuredText's.
    def escape_bars(app, what, name, thing, options, lines):
        lines[:] = [line.replace("|", "\\|") for line in lines]

    app.connect("autodoc-process-docstring", escape_bars, priority=900)
