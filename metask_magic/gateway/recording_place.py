"""Where recordings are kept: found from the working directory upwards, as git finds its own folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ..errors import RecordingError
from ..language import _

FOLDER = ".metask"
NAME = "recordings.jsonl"
ATTRIBUTES = f"{NAME} merge=union"
_MARKS = (".git", "pyproject.toml")


def find(start: Path) -> Path | None:
    """Return the file of recordings that holds in the folder `start`, if there is one."""
    places = (folder / FOLDER / NAME for folder in _iter_folders(start))
    return next((place for place in places if place.is_file()), None)


def choose(start: Path) -> Path:
    """Return where recordings made in `start` go: what `find` finds, or else a new file.

    The new one lies beside the nearest `.git` or `pyproject.toml`, or in `start` where there is neither.
    """
    roots = (folder for folder in _iter_folders(start) if any((folder / mark).exists() for mark in _MARKS))
    return find(start) or next(roots, start) / FOLDER / NAME


def given(said: str, start: Path) -> Path:
    """Return the file that a setting names, relative to `start`; `~` is the home folder.

    Raises
    ------
    RecordingError
        It is a folder.

    """
    path = start / Path(said).expanduser()
    if path.is_dir():
        file = f"{said.rstrip('/')}/{NAME}"
        raise RecordingError(
            _("Metask.recordings_path is {path}, which is a folder.", path=said),
            _('Name a file: `%config Metask.recordings_path = "{file}"`.', file=file),
        )
    return path


def write_attributes(folder: Path) -> None:
    """Tell git to merge recordings line by line; what the file says already stays. Raises `OSError`."""
    path = folder / ".gitattributes"
    said = path.read_text(encoding="utf-8") if path.exists() else ""
    if any(line.split()[:1] == [NAME] for line in said.splitlines()):
        return
    gap = "" if not said or said.endswith("\n") else "\n"
    with path.open("a", encoding="utf-8", newline="\n") as file:
        file.write(f"{gap}{ATTRIBUTES}\n")


def _iter_folders(start: Path) -> Iterator[Path]:
    """Yield `start` and the folders above it that belong to the same project, as far as one can tell.

    That ends with a folder that holds `.git`, and before the home folder, the root, and any folder of
    another owner: what lies in `/tmp` is not for everyone's notebooks.
    """
    start = start.resolve()
    owner, home = start.stat().st_uid, _home()
    for folder in (start, *start.parents):
        if folder != start and (folder == home or folder == folder.parent or folder.stat().st_uid != owner):
            return
        yield folder
        if (folder / ".git").exists():
            return


def _home() -> Path | None:
    try:
        return Path.home().resolve()
    except (RuntimeError, OSError):
        return None  # this user has none
