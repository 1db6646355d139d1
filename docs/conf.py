"""How `make docs` builds the site: from docs/, the pages of results/ that it links to, and docstrings.

The sources are read from the root of the repository, so that a link between two files leads to the same place on the
site and where the repository is shown.
"""

import sys
from pathlib import Path

import tfq_fusion

sys.path.insert(0, str(Path(__file__).parent / "_extensions"))

project = "tfq-fusion"
author = "The tfq-fusion authors"
release = tfq_fusion.__version__

root_doc = "docs/index"
include_patterns = ["*.md", "docs/**", "results/*.md"]
exclude_patterns = [".*", "build", "docs/_*"]
extensions = ["docstrings", "mathml", "myst_nb", "sphinx.ext.autodoc", "sphinx.ext.autosummary", "sphinx.ext.napoleon"]

html_theme = "pydata_sphinx_theme"
html_theme_options = {"logo": {"text": project}, "navigation_with_keys": False, "footer_start": [], "footer_end": []}
html_title = project
html_sidebars = {root_doc: []}
html_copy_source = False
html_show_sourcelink = False
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_extra_path = ["_root", "../results/report.html"]
templates_path = [str(Path(__file__).parent / "_templates")]
html_math_renderer = "mathml"

myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 4

nb_execution_mode = "force"
nb_execution_timeout = 90
nb_execution_raise_on_error = True
nb_execution_in_temp = True
nb_merge_streams = True
# Whatever scripts the output of a notebook asks for comes with it: a reader may have no network.
nb_ipywidgets_js = {}

add_module_names = False
napoleon_use_ivar = True
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
autosummary_ignore_module_all = False
autosummary_imported_members = True
maximum_signature_line_length = 88
toc_object_entries_show_parents = "hide"

nitpicky = True
# What is not ours has its documentation elsewhere.
nitpick_ignore_regex = [("py:.*", r"(?!tfq_fusion)\w+\..*")]
# Names of types that need no page: the first is what ``ModelCircuit.content`` gives, the second lists two words.
nitpick_ignore = [
    ("py:class", "tfq_fusion.circuits.model.Content"),
    ("py:class", "Initialization"),
    ("py:class", "Path"),
]
