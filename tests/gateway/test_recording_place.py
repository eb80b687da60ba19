"""Where recordings are looked for, and where new ones go."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from metask_magic.errors import RecordingError
from metask_magic.gateway.recording_place import choose, find, given, write_attributes

FILE = ".metask/recordings.jsonl"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder, with a folder `a/b/c` in it."""
    (tmp_path / "a/b/c").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    return tmp_path


def make(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if name.endswith(".git"):
            path.mkdir()
        else:
            path.write_text("")


@pytest.mark.parametrize(
    ("there", "start", "found", "chosen"),
    [
        ([], "a/b/c", None, "a/b/c/"),
        ([f"a/b/c/{FILE}"], "a/b/c", "a/b/c/", "a/b/c/"),
        ([f"a/b/{FILE}", f"a/{FILE}"], "a/b/c", "a/b/", "a/b/"),
        (["a/.git"], "a/b/c", None, "a/"),
        (["a/.git", "a/b/pyproject.toml"], "a/b/c", None, "a/b/"),
        (["a/.git", f"a/{FILE}", "a/b/pyproject.toml"], "a/b/c", "a/", "a/"),
        (["a/b/.git", f"a/{FILE}"], "a/b/c", None, "a/b/"),
        (["a/b/.git/x", f"a/{FILE}"], "a/b/c", None, "a/b/"),
        ([FILE, "pyproject.toml"], "a/b/c", None, "a/b/c/"),
        ([FILE], "", "", ""),
        (["a/pyproject.toml"], "a", None, "a/"),
    ],
)
def test_the_way_up(root: Path, there: list[str], start: str, found: str | None, chosen: str) -> None:
    make(root, *there)
    assert find(root / start) == (None if found is None else root / found / FILE)
    assert choose(root / start) == root / chosen / FILE


def test_a_folder_of_the_same_name_is_no_file(root: Path) -> None:
    (root / "a/b/c" / FILE).mkdir(parents=True)
    make(root, f"a/{FILE}")
    assert find(root / "a/b/c") == root / "a" / FILE


def test_other_peoples_folders_are_not_ours(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(root, f"a/{FILE}")
    real = Path.stat

    def owned(path: Path, **options: bool) -> object:
        status: os.stat_result = real(path, **options)
        if path == root / "a":
            return SimpleNamespace(st_uid=status.st_uid + 1, st_mode=status.st_mode)
        return status

    monkeypatch.setattr(Path, "stat", owned)
    assert find(root / "a/b/c") is None
    assert find(root / "a") == root / "a" / FILE


def test_a_path_that_is_given(root: Path) -> None:
    assert given("~/x.jsonl", root / "a") == root / "x.jsonl"
    assert given("../x.jsonl", root / "a") == root / "a" / "../x.jsonl"
    assert given("/x.jsonl", root / "a") == Path("/x.jsonl")
    with pytest.raises(RecordingError, match=r"b/, which is a folder.*b/recordings.jsonl"):
        given("b/", root / "a")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (None, "recordings.jsonl merge=union\n"),
        ("", "recordings.jsonl merge=union\n"),
        ("* text\n", "* text\nrecordings.jsonl merge=union\n"),
        ("* text", "* text\nrecordings.jsonl merge=union\n"),
        ("recordings.jsonl merge=union\n", "recordings.jsonl merge=union\n"),
        ("recordings.jsonl -diff\n", "recordings.jsonl -diff\n"),
    ],
)
def test_git_merges_line_by_line(tmp_path: Path, before: str | None, after: str) -> None:
    path = tmp_path / ".gitattributes"
    if before is not None:
        path.write_text(before)
    write_attributes(tmp_path)
    assert path.read_text() == after
