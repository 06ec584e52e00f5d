"""The documentation site: ``make docs``, or

python -m sphinx -W -c docs . build/docs

The source folder is the repository's root, so that links between pages lead to the same pages here
as on GitHub: docs/, the README, the changelog, the model cards and the data sets.
"""

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE / "sphinx_extensions"), str(HERE.parent)]

from dad_sfm import __version__  # noqa: E402

project = "dad_sfm"
release = version = __version__
copyright = "the dad_sfm authors"
language = "en"

root_doc = "docs/index"
include_patterns = [
    "README.md",
    "CHANGELOG.md",
    "docs/**.md",
    "datasets/*/README.md",
    "dad_sfm/weights/*.md",
    "pipelines/gluefactory/README.md",
]
exclude_patterns = ["**/.*", "build", "outputs", "runs", "tests"]

extensions = ["myst_parser", "sphinx.ext.autodoc", "command_reference", "docstring_tables"]
myst_heading_anchors = 4
# Docstrings write `name`: a link where there is such a page, code elsewhere.
default_role = "py:obj"
autodoc_typehints = "none"
autodoc_member_order = "bysource"

html_theme = "pydata_sphinx_theme"
html_title = f"dad_sfm {version}"
html_static_path = ["site_static"]
html_css_files = ["site.css"]
html_extra_path = ["site"]  # index.html, which leads to docs/index.html
templates_path = ["site_templates"]
html_show_sourcelink = False
html_show_copyright = False
html_theme_options = {
    "navigation_with_keys": False,
    "navbar_center": [],
    "footer_start": ["sphinx-version"],
    "footer_end": ["theme-version"],
    "secondary_sidebar_items": ["page-toc"],
}
html_sidebars = {"**": ["all-pages.html"]}
html_context = {"default_mode": "auto"}
