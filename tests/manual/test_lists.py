"""What the manual lists is all there is, in each of its languages: errors, settings, options, commands."""

from __future__ import annotations

import inspect
import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import get_args

import pytest
from traitlets.config.loader import PyFileConfigLoader

import metask_magic
from metask_magic import errors
from metask_magic.asking.background import BackgroundReply
from metask_magic.chat.reply import Reply
from metask_magic.messages.events import Usage
from metask_magic.messages.kinds import FinishReason, Format
from metask_magic.notebook import chat_commands, recordings, tool_commands
from metask_magic.notebook.magics import COMMANDS
from metask_magic.notebook.option_parser import declared_options
from metask_magic.prompt.filters import FILTERS
from metask_magic.settings import Metask
from metask_magic.trials.trial import Trial

from ..examples import documents, iter_blocks, iter_headings, iter_spans, iter_tables, languages
from ..test_prose import PROJECT

DOCUMENTS = documents()
SETTINGS = Metask.class_own_traits(config=True)
CLASSES = {
    name: one
    for name, one in vars(errors).items()
    if getattr(one, "__module__", "") == errors.__name__ and inspect.isclass(one) and not name.startswith("_")
}


@pytest.fixture(params=languages())
def pages(request: pytest.FixtureRequest) -> Mapping[str, str]:
    """The pages of a language, by the names of their files."""
    folder = f"docs/{request.param}/"
    return {path.removeprefix(folder): page for path, page in DOCUMENTS.items() if path.startswith(folder)}


def first_spans(page: str, word: str) -> list[str]:
    """Return the code spans in the first column of the tables in which one of them has this word."""
    columns = ([span for row in table[1:] for span in iter_spans(row[0])] for table in iter_tables(page))
    return [span for column in columns if any(word in span for span in column) for span in column]


def test_each_error_has_a_section_with_cause_and_cure(pages: Mapping[str, str]) -> None:
    page = pages["errors.md"]
    named = [text for level, text in iter_headings(page) if level == 3]
    assert sorted(named) == sorted(CLASSES)
    sections = {name: page.partition(f"\n### {name}\n")[2].partition("\n#")[0] for name in named}
    assert [
        name for name, said in sections.items() if len(re.findall(r"^- \*\*.+?\*\*", said, re.M)) != 2
    ] == []


def test_the_tree_of_errors_is_true(pages: Mapping[str, str]) -> None:
    (drawn,) = (block.code for block in iter_blocks(pages["errors.md"]) if block.language == "text")
    above: list[str] = []
    found = {}
    for line in drawn.splitlines():
        depth = (len(line) - len(line.lstrip())) // 4
        found[line.strip()] = above[depth - 1] if depth else ""
        above[depth:] = [line.strip()]
    parents = {name: one.__bases__[0].__name__ for name, one in CLASSES.items()}
    assert found == {name: parent if parent in CLASSES else "" for name, parent in parents.items()}


def test_the_settings_are_all_there_with_their_defaults(pages: Mapping[str, str]) -> None:
    rows = [
        row
        for table in iter_tables(pages["settings.md"])
        for row in table[1:]
        if row[0].strip("`") in SETTINGS
    ]
    assert {row[0].strip("`"): row[1].strip("`") for row in rows} == {
        name: "" if value in (None, "", {}) else f"{value:g}" if type(value) is float else str(value)
        for name, value in ((name, trait.default()) for name, trait in SETTINGS.items())
    }
    assert len(rows) == len(SETTINGS)


def test_the_options_are_all_there(pages: Mapping[str, str]) -> None:
    told = [span.split()[0] for span in first_spans(pages["options.md"], "-") if span.startswith("-")]
    assert sorted(told) == sorted(declared_options())


def test_the_commands_are_all_there(pages: Mapping[str, str]) -> None:
    rows = [
        row for table in iter_tables(pages["options.md"]) for row in table if row[0].startswith("`%metask")
    ]
    told = {row[0].strip("`").split()[1] if " " in row[0] else "": row for row in rows}
    assert {*told} == {*COMMANDS, ""}
    for name in ("chats", "recordings", "tools"):
        words = [word for word in COMMANDS[name] if not word.startswith("-")]
        assert [*iter_spans(told[name][1])] == words


@pytest.mark.parametrize(
    ("page", "name", "commands"),
    [
        ("prompts.md", "chats", chat_commands.COMMANDS),
        ("tools.md", "tools", tool_commands.COMMANDS),
        ("recordings.md", "recordings", recordings.COMMANDS),
    ],
)
def test_the_words_of_a_command_are_all_there(
    pages: Mapping[str, str], page: str, name: str, commands: Collection[str]
) -> None:
    told = [span.split()[2] for span in first_spans(pages[page], f"%metask {name} ")]
    assert {*told} == {*commands}


@pytest.mark.parametrize(
    ("page", "word", "known"),
    [
        ("prompts.md", "json", FILTERS),
        ("values.md", "markdown", get_args(Format)),
        ("values.md", "content_filter", get_args(FinishReason)),
    ],
    ids=["filters", "formats", "finish reasons"],
)
def test_a_table_is_complete(pages: Mapping[str, str], page: str, word: str, known: Collection[str]) -> None:
    assert sorted(span.partition("(")[0] for span in first_spans(pages[page], word)) == sorted(known)


def iter_names_of(value: type) -> Iterator[str]:
    yield from (name for name in dir(value) if not name.startswith("_"))
    yield from getattr(value, "__dataclass_fields__", ())


@pytest.mark.parametrize(
    ("page", "word", "kind"),
    [
        ("values.md", "first_token_after", Reply),
        ("models.md", "later.", BackgroundReply),
        ("models.md", "trial.", Trial),
    ],
)
def test_what_a_value_is_said_to_have_it_has(
    pages: Mapping[str, str], page: str, word: str, kind: type
) -> None:
    spans = [re.sub(r"^(await )?(later|[Tt]rial)(\.|$)", "", span) for span in first_spans(pages[page], word)]
    assert [
        name for span in spans if (name := span.partition("(")[0]) not in {*iter_names_of(kind), ""}
    ] == []


def test_the_tokens_of_a_reply_are_named(pages: Mapping[str, str]) -> None:
    (row,) = (row for table in iter_tables(pages["values.md"]) for row in table if row[0] == "`usage`")
    assert [*iter_spans(row[1])] == [*Usage.__dataclass_fields__]


def test_the_extras_are_all_there(pages: Mapping[str, str]) -> None:
    told = re.findall(r"\[(\w+)\]", " ".join(first_spans(pages["getting-started.md"], "metask-magic[")))
    assert sorted(told) == sorted({*PROJECT["optional-dependencies"]} - {"docs", "lint", "test"})


def test_the_configuration_that_is_shown_loads_the_extension(
    pages: Mapping[str, str], tmp_path: Path
) -> None:
    (shown,) = (
        block.code for block in iter_blocks(pages["getting-started.md"]) if block.language == "python"
    )
    (tmp_path / "ipython_config.py").write_text(shown, encoding="utf-8")
    config = PyFileConfigLoader("ipython_config.py", str(tmp_path)).load_config()
    (name,) = config.InteractiveShellApp.extensions
    assert name == metask_magic.__name__


def test_the_api_has_every_public_name(pages: Mapping[str, str]) -> None:
    told = re.findall(r"\.\. auto\w+:: metask_magic\.(\w+)(?:\(\))?\n", pages["python-api.md"])
    assert sorted(told) == sorted([*metask_magic.__all__, "map", "trial"])
