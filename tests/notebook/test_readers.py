"""Readers of a saved notebook that run nothing: the records read well there, and are what they say."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import nbformat
import pypandoc
import pytest
from cmarkgfm import github_flavored_markdown_to_html as github
from cmarkgfm.cmark import Options
from nbconvert.exporters import HTMLExporter, LatexExporter, PythonExporter
from nbformat.v4 import new_code_cell, new_notebook, new_output

from metask_magic.display.extras import Extras
from metask_magic.display.record import to_output
from metask_magic.messages.record import Record

PROMPT = "%%metask gpt-4o-mini\nWhich rivers?"
TEXT = """\
## Rivers

| river | km |
|---|---:|
| Nile | 6650 |

It is $E = mc^2$ long, **about**:

```python
print("Nile")
```
"""
ALLOWS_HTML = Options.CMARK_OPT_UNSAFE  # GitHub cleans it afterwards, and leaves `details`
EXTRAS = Extras(byline=True, reasoning=True)
RECORDS = {
    "Markdown": [Record("gpt-4o-mini", TEXT, "stop", "Africa, then.", elapsed=1.2)],
    "cleaned HTML": [Record("gpt-4o-mini", f"{TEXT}\n<b>and</b>", "stop", "Africa, then.", elapsed=1.2)],
    "several": [Record("gpt-4o-mini", TEXT, "stop"), Record("o1", TEXT, "length", notice="Cut off.")],
    "nothing": [Record("gpt-4o-mini", "", "content_filter", notice="Withheld by the provider.")],
}


def notebook(records: Sequence[Record]) -> nbformat.NotebookNode:
    """A notebook with one cell, as it is saved."""
    data, metadata = to_output(records, EXTRAS)
    output = new_output("display_data", data, metadata=metadata)
    saved: nbformat.NotebookNode = new_notebook(cells=[new_code_cell(PROMPT, outputs=[output])])
    nbformat.validate(saved)
    return saved


def says(page: str, records: Sequence[Record]) -> None:
    """Every record is there: its text, and what is said of it."""
    for record in records:
        assert page.count("Nile") >= 2 * bool(record.text)
        assert record.notice in page


@pytest.mark.parametrize("records", RECORDS.values(), ids=RECORDS)
def test_nbconvert_to_html(records: Sequence[Record]) -> None:
    page, _ = HTMLExporter().from_notebook_node(notebook(records))
    (_, shown) = page.split("Which rivers?", 1)
    says(shown, records)
    assert shown.count("<table>") >= len(records) * bool(records[0].text)
    assert "widget" not in shown
    assert "<script" not in shown
    assert "```" not in shown


@pytest.mark.parametrize("records", RECORDS.values(), ids=RECORDS)
def test_nbconvert_to_latex(records: Sequence[Record], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(Path(pypandoc.get_pandoc_path()).parent), prepend=os.pathsep)
    source, _ = LatexExporter().from_notebook_node(notebook(records))
    (_, shown) = source.split("Which", 1)
    says(shown, records)
    assert "mc" in shown or not records[0].text
    assert "<details" not in shown


def test_nbconvert_to_a_script() -> None:
    source, _ = PythonExporter().from_notebook_node(notebook(RECORDS["Markdown"]))
    assert "run_cell_magic('metask', 'gpt-4o-mini', 'Which rivers?\\n')" in source
    assert "Nile" not in source


@pytest.mark.parametrize("records", [RECORDS["Markdown"], RECORDS["several"]], ids=["one", "several"])
def test_github(records: Sequence[Record]) -> None:
    data, _ = to_output(records, EXTRAS if len(records) == 1 else Extras())
    page = github(data["text/markdown"], ALLOWS_HTML)
    says(page, records)
    assert page.count("<h2>Rivers</h2>") == len(records)
    assert page.count("<table>") >= len(records)
    assert "```" not in page
    if len(records) == 1:
        assert page.startswith("<details><summary>Reasoning</summary>\n<p>Africa, then.</p>\n</details>")
        assert page.endswith("<p><em>gpt-4o-mini · 1.2 s</em></p>\n")
