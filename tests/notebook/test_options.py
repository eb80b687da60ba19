"""The option line: what it says becomes `CellOptions`; what cannot be read is explained."""

from __future__ import annotations

import json
import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metask_magic.errors import OptionError
from metask_magic.notebook.options import CellOptions, parse_cell_line, parse_line


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("", CellOptions()),
        ("gpt-4o", CellOptions(models=("gpt-4o",))),
        ("  gpt-4o   --raw ", CellOptions(models=("gpt-4o",), raw=True)),
        ("--raw gpt-4o", CellOptions(models=("gpt-4o",), raw=True)),
        ("-s 'Be brief.' gpt-4o", CellOptions(models=("gpt-4o",), system="Be brief.")),
        ('--system="Be brief." -o r', CellOptions(system="Be brief.", out="r")),
        ("--temperature .5 --max-tokens 3", CellOptions(params={"temperature": 0.5, "max_tokens": 3})),
        ("--top-p 1 --seed 4", CellOptions(params={"top_p": 1.0, "seed": 4})),
        ("-p n=1 -p stop='[\"a b\"]'", CellOptions(params={"n": 1, "stop": ["a b"]})),
        ("-p 'logit_bias={\"50256\": -100}'", CellOptions(params={"logit_bias": {"50256": -100}})),
        ("-p temperature=1", CellOptions(params={"temperature": 1})),
        ("a b c", CellOptions(models=("a", "b", "c"))),
        (
            "a --seed 1 b --raw 'claude-*'",
            CellOptions(models=("a", "b", "claude-*"), params={"seed": 1}, raw=True),
        ),
        ("-c story --background", CellOptions(chat="story", background=True)),
        ("-a df -a 'my file.csv' --attach=fig", CellOptions(attach=("df", "my file.csv", "fig"))),
        ("-f json", CellOptions(format="json")),
        ("--schema Person -T f -T g --confirm", CellOptions(schema="Person", tools=("f", "g"), confirm=True)),
        ("--map df --limit 3", CellOptions(map="df", limit=3)),
        ("--no-stream --quiet --dry-run", CellOptions(stream=False, quiet=True, dry_run=True)),
    ],
)
def test_cell_line(line: str, expected: CellOptions) -> None:
    assert parse_cell_line(line) == expected


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("--nope", "--nope"),
        ("--temp 1", "--temp"),
        ("--temperature warm", "invalid float value"),
        ("-f yaml", "invalid choice: 'yaml'"),
        ("--seed", "expected one argument"),
        ("-s 'open", "never closed"),
        ("-s open\\", r"a \\ at its end"),
        ("-o 'not a name'", "no name"),
        ("-o class", "no name"),
        ("-o None", "no name"),
        ("m --confirm", "the cell has none"),
        ("-p temperature", "KEY=JSON"),
        ("-p =1", "KEY=JSON"),
        ("-p stop=END", "is not JSON"),
        ("--limit 3", "needs --map"),
        ("--map df --limit 0", "a row at least"),
        ("-p stream=false", "cannot set stream"),
    ],
)
def test_what_cannot_be_read_is_explained(line: str, says: str) -> None:
    with pytest.raises(OptionError, match=says) as caught:
        parse_cell_line(line)
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("line", "models", "prompt"),
    [
        ("m Hello!", ["m"], "Hello!"),
        ('m What\'s "this"?', ["m"], 'What\'s "this"?'),
        ("m --seed 1 Hi", ["m"], "Hi"),
        ("--seed 1 m Hi --raw", ["m"], "Hi --raw"),
        ("-s 'Be brief.' m Hi", ["m"], "Hi"),
        ("m --system='a b' - a list", ["m"], "- a list"),
        ("m -5 is a number", ["m"], "-5 is a number"),
        ("m $HOME {x} \\frac 'open", ["m"], "$HOME {x} \\frac 'open"),
        ("'a model' Hi", ["a model"], "Hi"),
        ("m", ["m"], ""),
        ("", [], ""),
    ],
)
def test_one_line(line: str, models: list[str], prompt: str) -> None:
    options, text = parse_line(line)
    assert (list(options.models), text) == (models, prompt)


TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1)
VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner),
)


@given(system=TEXT, value=VALUE)
def test_anything_quoted_arrives(system: str, value: object) -> None:
    line = shlex.join(["m", f"--system={system}", "-p", f"user={json.dumps(value)}"])
    assert parse_cell_line(line) == CellOptions(models=("m",), system=system, params={"user": value})  # type: ignore[dict-item]  # JSON by construction


@given(TEXT.map(str.strip).filter(lambda text: text and not text.startswith("-")))
def test_any_prompt_on_one_line_arrives(prompt: str) -> None:
    assert parse_line(f"--seed 3 m --raw {prompt}") == (
        CellOptions(models=("m",), params={"seed": 3}, raw=True),
        prompt,
    )
