"""`%metask recordings`: what is listed, shown, forgotten, mended."""

from __future__ import annotations

from pathlib import Path

import pytest

from metask_magic.display.table import Table
from metask_magic.errors import RecordingError
from metask_magic.gateway.recordings import Recordings
from metask_magic.notebook.recordings import COMMANDS, run

from ..gateway.recordings import recording

FILE = ".metask/recordings.jsonl"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("metask_magic.keys._from_keyring", lambda _url: None)
    return tmp_path


@pytest.fixture
def store(here: Path) -> Recordings:
    store = Recordings(here / FILE)
    for prompt, model in (("Who is Ada?", "gpt-4o"), ("Tell me a story", "o1"), ("A story, please", "o1")):
        store.append(recording(prompt, prompt.upper(), model=model))
    return store


# -- %metask recordings --------------------------------------------------------------------------------


def table(store: Recordings, line: str = "") -> Table:
    shown = run(store, line)
    assert isinstance(shown, Table)
    return shown


def test_the_list(store: Recordings) -> None:
    shown = table(store)
    assert shown.title == f"3 recordings in {store.path}"
    assert [(row[0], *row[2:]) for row in shown.rows] == [
        (recording("Who is Ada?", model="gpt-4o").key[:8], "gpt-4o", "Who is Ada?", "11"),
        (recording("Tell me a story", model="o1").key[:8], "o1", "Tell me a story", "15"),
        (recording("A story, please", model="o1").key[:8], "o1", "A story, please", "15"),
    ]
    assert "could not be read" not in shown.note


def test_the_list_says_what_is_wrong(store: Recordings) -> None:
    store.path.write_bytes(store.path.read_bytes() + b"torn")
    assert "1 line could not be read: `%metask recordings verify`." in table(store).note


def test_an_empty_list_says_how_to_record(here: Path) -> None:
    shown = table(Recordings(here / FILE))
    assert shown.title == f"There are no recordings in {here / FILE}."
    assert '`%config Metask.recording = "auto"`' in shown.note


def test_a_long_list_shows_the_newest(store: Recordings) -> None:
    for number in range(200):
        store.append(recording(f"{number}\n" + "long " * 100))
    shown = table(store)
    assert len(shown.rows) == 200
    assert shown.note.startswith("3 earlier ones are not listed.")
    assert shown.rows[-1][3].startswith("199 long long")
    assert max(len(row[3]) for row in shown.rows) == 60


def test_one_is_shown_whole(store: Recordings) -> None:
    key = recording("Who is Ada?", model="gpt-4o").key
    for beginning in (key, key[:4], key[:8].upper()):
        shown = table(store, f"show {beginning}")
        assert shown.title == key
        assert [row for row in shown.rows if row[0] in {"model", "user", "reply"}] == [
            ("model", "gpt-4o"),
            ("user", "Who is Ada?"),
            ("reply", "WHO IS ADA?"),
        ]


def test_what_is_shown_is_harmless(store: Recordings) -> None:
    store.append(made := recording("\x1b[2J<b>", "\u202e</td><script>"))
    for shown in (table(store), table(store, f"show {made.key}")):
        both = str(shown) + shown._repr_mimebundle_()["text/html"]
        assert not {"\x1b", "\u202e"} & set(both)
        assert "<script" not in shown._repr_mimebundle_()["text/html"]


@pytest.mark.parametrize(
    ("what", "left"),
    [
        ("gpt-4o", ["Tell me a story", "A story, please"]),
        ("gpt-*", ["Tell me a story", "A story, please"]),
        ("'*story*'", ["Who is Ada?"]),
        ("'*'", []),
        (recording("Tell me a story", model="o1").key[:6], ["Who is Ada?", "A story, please"]),
    ],
)
def test_forgetting(store: Recordings, what: str, left: list[str]) -> None:
    said = run(store, f"forget {what}")
    assert [found.prompt for found in store.all()] == left
    count = 3 - len(left)
    assert str(said).startswith(f"{count} recording{'s' if count > 1 else ''} forgotten; ")


def test_compacting(store: Recordings) -> None:
    store.append(recording("Who is Ada?", "new", model="gpt-4o"))
    assert run(store, "compact") == "1 line dropped; 3 recordings stay."
    assert run(store, "compact") == "0 lines dropped; 3 recordings stay."


def test_verifying(store: Recordings) -> None:
    assert str(table(store, "verify")) == f"3 lines of {store.path} can be read, and every key is right."
    store.path.write_bytes(
        store.path.read_bytes().replace(b'"content": "Tell', b'"content": "Sell') + b"torn"
    )
    shown = table(store, "verify")
    assert shown.title == f"2 lines of {store.path} can be read."
    assert shown.rows == (
        ("Line 2 of recordings.jsonl has another key than its request.",),
        ("Line 4 of recordings.jsonl is not whole, or no recording.",),
    )
    assert "`%metask recordings compact`" in shown.note


@pytest.mark.parametrize(
    ("line", "says", "remedy"),
    [
        ("shw", "has no command shw", "Did you mean `%metask recordings show`?"),
        ("???", "has no command ???", "There are show, compact, forget, verify"),
        ("show", "does not fit", "%metask recordings show KEY"),
        ("compact now", "does not fit", "%metask recordings compact"),
        ("show 'x", "never closed", "Close it"),
        ("show 0000", "No recording is known by 0000.", "lists the keys"),
        ("show abc", "No recording is known by abc.", "four digits"),
        ("forget nothing-like-it*", "No recording is known", "lists the keys"),
    ],
)
def test_what_cannot_be_done(store: Recordings, line: str, says: str, remedy: str) -> None:
    before = store.path.read_bytes()
    with pytest.raises(RecordingError) as caught:
        run(store, line)
    assert says in caught.value.message
    assert remedy in caught.value.remedy
    assert store.path.read_bytes() == before


def test_every_command_names_itself() -> None:
    assert all(command.usage.startswith(name) for name, command in COMMANDS.items())
