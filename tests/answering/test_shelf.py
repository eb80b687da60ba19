"""Which recordings hold: the file, the mode, and what a cell does with them."""

from __future__ import annotations

from pathlib import Path

import pytest

from metask_magic import language
from metask_magic.answering.shelf import Shelf, describe_mode, samples
from metask_magic.errors import RecordingError
from metask_magic.gateway.recorded import CONDUCTS, Conduct
from metask_magic.gateway.recordings import Recordings
from metask_magic.settings import Metask

from ..gateway.recordings import recording

FILE = ".metask/recordings.jsonl"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("metask_magic.keys._from_keyring", lambda _url: None)
    return tmp_path


@pytest.mark.parametrize(
    ("set_to", "key", "file", "mode", "why"),
    [
        (None, "sk-x", False, "off", "the default"),
        (None, "sk-x", True, "off", "the default"),
        (None, None, False, "off", "the default"),
        (None, None, True, "replay", "there is no key, but a file of recordings"),
        (None, "sk x", True, "off", "the default"),
        *((mode, None, True, mode, "Metask.recording") for mode in CONDUCTS),
        ("replay", "sk-x", False, "replay", "Metask.recording"),
    ],
)
def test_the_mode(
    here: Path,
    monkeypatch: pytest.MonkeyPatch,
    set_to: str | None,
    key: str | None,
    file: bool,
    mode: str,
    why: str,
) -> None:
    if key:
        monkeypatch.setenv("METASK_API_KEY", key)
    if file:
        Recordings(here / FILE).append(recording())
    shelf = Shelf(Metask(recording=set_to))
    assert shelf.mode() == (mode, why)
    there = f"; 1 recording in {FILE}" if file else ""
    assert describe_mode(Metask(recording=set_to), shelf.store) == f"{mode} ({why}){there}"


@pytest.mark.parametrize(
    ("set_to", "key", "fresh", "embedded", "conduct"),
    [
        (None, None, False, False, CONDUCTS["replay"]),
        (None, None, False, True, Conduct(replays=True, asks=True, records=False)),
        (None, None, True, True, CONDUCTS["record"]),
        (None, "sk-x", True, False, CONDUCTS["off"]),
        ("auto", None, False, True, CONDUCTS["auto"]),
        ("auto", None, True, False, CONDUCTS["record"]),
        ("replay", None, False, True, CONDUCTS["replay"]),
        ("off", None, True, False, CONDUCTS["off"]),
    ],
)
def test_what_a_cell_does(
    here: Path,
    monkeypatch: pytest.MonkeyPatch,
    set_to: str | None,
    key: str | None,
    fresh: bool,
    embedded: bool,
    conduct: Conduct,
) -> None:
    if key:
        monkeypatch.setenv("METASK_API_KEY", key)
    Recordings(here / FILE).append(recording())
    assert Shelf(Metask(recording=set_to)).conduct(fresh=fresh, embedded=embedded) == conduct


def test_the_file_follows_the_working_directory(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Metask()
    shelf = Shelf(settings)
    first = shelf.store
    assert (shelf.store, first.path) == (first, here / FILE)
    (here / "below").mkdir()
    monkeypatch.chdir(here / "below")
    assert shelf.store.path == here / "below" / FILE
    first.append(recording())
    settings.recordings_path = "x.jsonl"
    assert shelf.store.path == here / "below/x.jsonl"
    settings.recordings_path = str(here)
    with pytest.raises(RecordingError, match="is a folder"):
        _ = shelf.store


@pytest.mark.parametrize(
    ("models", "first", "expected"),
    [(["a"], 1, [1]), (["a", "b"], 2, [2, 2]), (["a", "b", "a", "a"], 1, [1, 1, 2, 3])],
)
def test_a_model_that_is_asked_twice_gives_two_answers(
    models: list[str], first: int, expected: list[int]
) -> None:
    assert samples(models, first) == expected


def test_a_file_that_is_not_below_is_named_whole(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (here / "deeper").mkdir()
    Recordings(here / FILE).append(recording())
    monkeypatch.chdir(here / "deeper")
    assert describe_mode(Metask(), Shelf(Metask()).store).endswith(f"1 recording in {here / FILE}")


@pytest.mark.usefixtures("here")
def test_the_mode_in_chinese() -> None:
    language.choose("zh")
    shelf = Shelf(Metask())
    assert describe_mode(Metask(), shelf.store) == "off（默认）"
    shelf.store.append(recording())
    assert describe_mode(Metask(), shelf.store) == (f"replay（没有密钥，但有录制文件）；{FILE} 中有 1 条录制")
