"""The option line: what it says becomes `CellOptions`; what cannot be read is explained."""

from __future__ import annotations

import json
import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metask_magic.errors import OptionError
from metask_magic.notebook.option_line import parse_cell_line, parse_line
from metask_magic.notebook.options import CellOptions


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
        ("-T files.read --yes", CellOptions(tools=("files.read",), yes=True)),
        (
            'm --prompt docs.sum topic="a b" n=1=2 o',
            CellOptions(("m", "o"), prompt="docs.sum", prompt_arguments={"topic": "a b", "n": "1=2"}),
        ),
        ("m topic=tea", CellOptions(("m", "topic=tea"))),
        ("--map df --limit 3", CellOptions(map="df", limit=3)),
        (
            "a b --map df --check judge --judge c --rubric r --tolerance .5",
            CellOptions(models=("a", "b"), map="df", check="judge", judge="c", rubric="r", tolerance=0.5),
        ),
        ("--no-stream --quiet --dry-run", CellOptions(stream=False, quiet=True, dry_run=True)),
        ("m -o story   # the reply becomes `story`", CellOptions(models=("m",), out="story")),
        ("# m", CellOptions()),
        ("m #", CellOptions(models=("m",))),
        ("m # it's 'open", CellOptions(models=("m",))),
        ("a/m#b -s 'C # D'", CellOptions(models=("a/m#b",), system="C # D")),
        ('m -p stop=["a", "b c"] -o r', CellOptions(models=("m",), params={"stop": ["a", "b c"]}, out="r")),
        (
            'm -p response_format={"type": "json_object"}',
            CellOptions(models=("m",), params={"response_format": {"type": "json_object"}}),
        ),
        ('-p stop="END" m', CellOptions(models=("m",), params={"stop": "END"})),
        ('-p stop="a # b" m # c', CellOptions(models=("m",), params={"stop": "a # b"})),
        ('--param user=["a"]', CellOptions(params={"user": ["a"]})),
        ('--param=user={"a": "b c"}', CellOptions(params={"user": {"a": "b c"}})),
        ('-puser=["a b"]', CellOptions(params={"user": ["a b"]})),
        ("-p 'user=[\"a b\"]'", CellOptions(params={"user": ["a b"]})),
        ('-p "user=[1]"', CellOptions(params={"user": [1]})),
        (
            '-p n=1 -p logprobs=false -p modalities=["text"]',
            CellOptions(params={"n": 1, "logprobs": False, "modalities": ["text"]}),
        ),
    ],
)
def test_cell_line(line: str, expected: CellOptions) -> None:
    assert parse_cell_line(line) == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("甲\u3000乙\u2003丙\xa0丁", CellOptions(models=("甲", "乙", "丙", "丁"))),
        ("m\u3000－－map\u3000df\u3000--limit ３", CellOptions(models=("m",), map="df", limit=3)),
        ("--temperature ０．５ --seed=１２", CellOptions(params={"temperature": 0.5, "seed": 12})),
        ("-s “简短 回答” m", CellOptions(models=("m",), system="简短 回答")),
        ("-s ”反 了“ --chat=‘故 事’", CellOptions(system="反 了", chat="故 事")),
        ("－－system＝＂甲＝乙＂ m", CellOptions(models=("m",), system="甲＝乙")),
        ("-s “请用“中文”回答” m", CellOptions(models=("m",), system="请用“中文”回答")),
        ("-s “” m", CellOptions(models=("m",), system="")),
        ("-s “a”b m", CellOptions(models=("m",), system="“a”b")),
        ("-s '“a b”' m", CellOptions(models=("m",), system="“a b”")),
        ('-p stop=“a "b"” m', CellOptions(models=("m",), params={"stop": 'a "b"'})),
        ('-p stop＝["甲 乙"] －－param user＝“丙”', CellOptions(params={"stop": ["甲 乙"], "user": "丙"})),
        ("-p seed＝１ -p x=－０．５", CellOptions(params={"seed": 1, "x": -0.5})),
        ("--param＝user＝“a b”", CellOptions(params={"user": "a b"})),
        (
            "--prompt docs.sum topic＝“茶 道” n=1＝2",
            CellOptions(prompt="docs.sum", prompt_arguments={"topic": "茶 道", "n": "1＝2"}),
        ),
    ],
)
def test_what_is_typed_in_full_width(line: str, expected: CellOptions) -> None:
    assert parse_cell_line(line) == expected


UNREADABLE = [
    ("--nope", "no option --nope"),
    ("--temp 1", "no option --temp"),
    ("—schema P", "no option —schema"),
    ("-p stop=[a]", "is not JSON"),
    ('-p stop=["a"', "is not JSON"),
    ('-p stop=["a"]b', "is not JSON"),
    ("-p n=2", "several answers"),
    ("-p best_of=2", "several answers"),
    ("-p candidate_count=4", "several answers"),
    ("-p logprobs=true", "facts about tokens"),
    ("-p top_logprobs=3", "facts about tokens"),
    ('-p modalities=["text", "audio"]', "more than text"),
    ('-p audio={"voice": "x"}', "sound"),
    ("-p max_tokens=5 --max-tokens 6", "--max-tokens and -p max_tokens"),
    ("-p max_completion_tokens=5 --max-tokens 6", "--max-tokens and -p max_completion_tokens"),
    ("-p temperature=1 --temperature 1", "--temperature and -p temperature"),
    ("-p seed=1 -p seed=2", "-p seed and -p seed"),
    ("--schema P -p response_format={}", "--schema and -p response_format"),
    ("-f json -p response_format={}", "-f json and -p response_format"),
    ("-T f -p tools=[]", "-T and -p tools"),
    ("-o a -o b", "-o is given twice"),
    ("--max-tokens 5 --max-tokens 6", "--max-tokens is given twice"),
    ("-s a --system b", "--system is given twice"),
    ("--temperature warm", "invalid float value"),
    ("-f yaml", "invalid choice: 'yaml'"),
    ("--seed", "expected one argument"),
    ("-s 'open", "never closed"),
    ("-s open\\", r"a \\ at its end"),
    ("-s “open m", "never closed"),
    ("--system=‘open m", "never closed"),
    ("－－mop df", "no option －－mop"),
    ("—raw", "no option —raw"),
    ("-o 'not a name'", "no name"),
    ("-o class", "no name"),
    ("-o None", "no name"),
    ("m --confirm", "the cell has none"),
    ("m --yes", "the cell has none"),
    ("m -T f --yes --confirm", "--confirm asks before each call, and --yes does not"),
    ("-p temperature", "KEY=JSON"),
    ("-p =1", "KEY=JSON"),
    ("-p stop=END", "is not JSON"),
    ("--limit 3", "needs --map"),
    ("--map df --limit 0", "a row at least"),
    ("-p stream=false", "cannot set stream"),
]


@pytest.mark.parametrize(("line", "says"), UNREADABLE)
def test_what_cannot_be_read_is_explained(line: str, says: str) -> None:
    with pytest.raises(OptionError, match=says) as caught:
        parse_cell_line(line)
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("line", "offers"),
    [
        ("--schem P", "Did you mean --schema?"),
        ("--max_tokens 5", "Did you mean --max-tokens?"),
        ("-temperature 1", "Did you mean --temperature?"),
        ("--NoStream", "Did you mean --no-stream?"),
        ("–dry–run", "Did you mean --dry-run?"),
        ("——dry-run", "Did you mean --dry-run?"),
        ("－－ｍｏｐ", "Did you mean --map?"),
        ("-x", "`%%metask?` lists"),
        ("--zzzz", "`%%metask?` lists"),
        ("-p stop=[a]", "double quotes"),
        ("-p stop=END", '-p stop="END"'),
    ],
)
def test_the_remedy_is_at_hand(line: str, offers: str) -> None:
    with pytest.raises(OptionError) as caught:
        parse_cell_line(line)
    assert caught.value.remedy.startswith(offers) or offers in caught.value.remedy


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
        ("m C# is # no comment", ["m"], "C# is # no comment"),
        ("m # Heading", ["m"], "# Heading"),
        ('m -p stop=["a b"] Say # hi', ["m"], "Say # hi"),
        ("m —well, a dash", ["m"], "—well, a dash"),
        ("m", ["m"], ""),
        ("", [], ""),
        ("m\u3000你好，\u3000世界！", ["m"], "你好，\u3000世界！"),
        ("m 🙂“引号” －－raw", ["m"], "🙂“引号” －－raw"),
        ("－－seed\u3000１\u3000m\u3000为什么？", ["m"], "为什么？"),
        ("m －－ 列表", ["m"], "－－ 列表"),
        ("m －一项", ["m"], "－一项"),
        ("m “你好”，他说", ["m"], "“你好”，他说"),
        ("m ‘未完", ["m"], "‘未完"),
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
