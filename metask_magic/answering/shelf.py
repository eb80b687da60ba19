"""Recordings as they hold now: which file, which mode, and what a cell does with them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..errors import MissingKeyError, SettingError
from ..gateway.recorded import CONDUCTS, Conduct
from ..gateway.recording_key import describe, key_of
from ..gateway.recording_place import choose, given
from ..gateway.recordings import Recordings
from ..language import _, ngettext
from ..messages.request import Request
from ..settings import Metask

_REPLAYS_AND_RECORDS = CONDUCTS["auto"]
_REPLAYS_OR_ASKS = Conduct(replays=True, asks=True, records=False)


class Shelf:
    """Holds the store of the file that the settings and the working directory name now."""

    def __init__(self, settings: Metask) -> None:
        self._settings = settings
        self._store: Recordings | None = None

    @property
    def store(self) -> Recordings:
        """The store; its file may not exist yet. Raises `RecordingError` where there can be none."""
        here, said = Path.cwd(), self._settings.recordings_path
        path = given(said, here) if said else choose(here)
        if self._store is None or self._store.path != path:
            self._store = Recordings(path)
        return self._store

    def mode(self) -> tuple[str, str]:
        """Return the mode that holds, one of `CONDUCTS`, and why."""
        return effective_mode(self._settings, self.store)

    def conduct(self, *, fresh: bool, embedded: bool) -> Conduct:
        """Return what a cell does with recordings.

        `fresh` is its wish to be asked anew. Of the `embedded` model, which needs no key, what is not
        recorded is asked all the same, unless `replay` was set.
        """
        mode, _why = self.mode()
        if fresh and mode != "off":
            return CONDUCTS["record"]
        if embedded and self._settings.recording is None and mode == "replay":
            return _REPLAYS_OR_ASKS
        return CONDUCTS[mode]

    def has_all(self, requests: Sequence[Request], numbers: Sequence[int]) -> bool:
        """Whether each request is recorded, as the answer of its number."""
        pairs = zip(requests, numbers, strict=True)
        return all(self.store.has(key_of(describe(request, number))) for request, number in pairs)

    def conduct_of_rows(self, *, fresh: bool, embedded: bool) -> Conduct:
        """Return what a prompt over a table does: it records and resumes, unless a mode was set."""
        if self._settings.recording is None and self.mode()[0] == "off":
            return CONDUCTS["record"] if fresh else _REPLAYS_AND_RECORDS
        return self.conduct(fresh=fresh, embedded=embedded)


def effective_mode(settings: Metask, store: Recordings) -> tuple[str, str]:
    """Return the mode that holds, and why, in words for a person."""
    if settings.recording is not None:
        return str(settings.recording), "Metask.recording"
    if store.path.is_file() and not _has_key(settings):
        return "replay", _("there is no key, but a file of recordings")
    return "off", _("the default")


def describe_mode(settings: Metask, store: Recordings) -> str:
    """Return the line of the status card."""
    mode, why = effective_mode(settings, store)
    if not store.path.is_file():
        return _("{mode} ({why})", mode=mode, why=why)
    return ngettext(
        "{mode} ({why}); {count} recording in {path}",
        "{mode} ({why}); {count} recordings in {path}",
        len(store.known_keys()),
        mode=mode,
        why=why,
        path=_from_here(store.path),
    )


def _from_here(path: Path) -> Path:
    """The status card is saved in notebooks, which should not tell whose machine they were run on."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def samples(models: Sequence[str], first: int) -> list[int]:
    """Return which answer each model of a cell gives, counted from `first`: one asked twice gives two."""
    return [first + models[:at].count(model) for at, model in enumerate(models)]


def _has_key(settings: Metask) -> bool:
    try:
        settings.find_key()
    except MissingKeyError:
        return False
    except SettingError:
        return True  # one that cannot be sent, which is to be said
    return True
