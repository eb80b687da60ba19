"""The manual: `sphinx-build -t en` for English, `-t zh` for Chinese.

The source is the whole repository, of which a language takes its folder, the notebooks and a few pages: so a
link that leads somewhere on GitHub leads there in the manual too, and the build sees where one does not.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from ipython_pygments_lexers import IPython3Lexer
from sphinx.search.zh import SearchChinese

NAMES = {"en": "English", "zh": "中文"}
LANGUAGE = "zh" if tags.has("zh") else "en"  # noqa: F821 -- Sphinx's

project = "metask-magic"
language = {"en": "en", "zh": "zh_CN"}[LANGUAGE]
extensions = ["myst_nb", "sphinx.ext.autodoc", "numpydoc"]

root_doc = f"docs/{LANGUAGE}/index"
include_patterns = [f"docs/{LANGUAGE}/**", "notebooks/*", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"]
exclude_patterns = [".*", "docs/_build", "metask_magic", "notebooks/README.md", "tests"]

nb_execution_mode = "off"  # the outputs are those that were saved
nb_render_error_lexer = "none"  # ours are sentences, and no tracebacks
myst_heading_anchors = 3

highlight_language = "python"
default_role = "literal"  # what single backticks are in our docstrings
autodoc_member_order = "bysource"
autodoc_type_aliases = {"JSON": "JSON"}  # else all that JSON can be is written out
autodoc_typehints_format = "short"
python_use_unqualified_type_names = True
numpydoc_show_class_members = False  # autodoc lists them
nitpick_ignore_regex = [
    # Of Python and of our own modules: what no page is about.
    ("py:.*", r"(collections|decimal|pathlib|t|traitlets)\..*"),
    ("py:.*", r"JSON|metask_magic\.(asking|messages|schemas|scripts|table|trials|usage)\..*"),
]

templates_path = ["templates"]
html_theme = "furo"
html_title = "metask-magic"
html_static_path = ["static"]
html_css_files = ["manual.css"]
html_copy_source = False
html_additional_pages = {"index": "forward.html"}
html_sidebars = {
    "**": [
        "sidebar/brand.html",
        "sidebar/search.html",
        "languages.html",
        "sidebar/scroll-start.html",
        "sidebar/navigation.html",
        "sidebar/scroll-end.html",
    ]
}
html_context = {
    "language_here": LANGUAGE,
    "other_languages": {
        code: name
        for code, name in NAMES.items()
        if code != LANGUAGE and (Path(__file__).parent / code / "index.md").exists()
    },
}


class SearchInChinese(SearchChinese):
    """Finds Chinese words without a dictionary: by two characters, and longer ones within whole runs."""

    def split(self, input: str) -> list[str]:
        """Return the words of a text that are in the index."""
        runs = re.findall(r"[\u3400-\u9fff]+", input)
        pairs = [run[at : at + 2] for run in runs for at in range(len(run) - 1)]
        return [*pairs, *runs, *super().split(input)]


def setup(app: Any) -> None:
    """Read what stands in cells as IPython does, magics among it; find Chinese words."""
    app.add_lexer("python", IPython3Lexer)
    app.add_search_language(SearchInChinese)
