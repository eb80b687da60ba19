"""`%metask recordings`: list, show, compact, forget, verify."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from ..display.table import Table
from ..errors import RecordingError
from ..gateway.recording import Recording, message_text
from ..gateway.recordings import Recordings
from ..messages.kinds import JSON
from ..words import counted, did_you_mean, nearest, plain, shorten

SHORT = 8  # hex digits of a key that are shown
LONGEST_LIST = 200
LONGEST_BEGINNING = 60


@dataclass(frozen=True, slots=True)
class _Command:
    """What follows the command's name, how many words, and what does it."""

    usage: str
    words: int
    run: Callable[[Recordings, Sequence[str]], str | Table]


def run(store: Recordings, line: str) -> Table | str:
    """Do what `line`, the words after `%metask recordings`, says. Return a table or a sentence.

    Raises
    ------
    RecordingError
        It cannot be done: no such command or recording, a file that cannot be read or written.

    """
    try:
        words = shlex.split(line)
    except ValueError:
        raise RecordingError(
            "The line has a quotation mark that is never closed, or a \\ at its end.",
            "Close it, or escape it with \\.",
        ) from None
    if not words:
        return overview(store)
    word, *rest = words
    command = COMMANDS.get(word)
    if command is None:
        near = did_you_mean([f"`%metask recordings {name}`" for name in nearest(word, COMMANDS)])
        raise RecordingError(
            f"`%metask recordings` has no command {plain(word)}.",
            near or f"There are {', '.join(COMMANDS)}; `%metask recordings` alone lists the recordings.",
        )
    if len(rest) != command.words:
        raise RecordingError(
            f"`%metask recordings {word}` does not fit: {plain(line)}.",
            f"Type %metask recordings {command.usage}",
        )
    return command.run(store, rest)


def overview(store: Recordings) -> Table:
    """Return the list of the latest recordings, the newest last."""
    recordings = store.all()
    if not recordings:
        remedy = '`%config Metask.recording = "auto"` records the replies that come.'
        return Table(
            f"There are no recordings in {store.path}.", (), (), " ".join([remedy, *_complaint(store)])
        )
    shown = recordings[-LONGEST_LIST:]
    rows = tuple(
        (
            recording.key[:SHORT],
            recording.recorded.replace("T", " ").removesuffix("Z"),
            plain(recording.model),
            shorten(plain(recording.prompt), LONGEST_BEGINNING),
            f"{len(recording.reply.text):,}",
        )
        for recording in shown
    )
    earlier = (
        [f"{len(recordings) - len(shown):,} earlier ones are not listed."] if shown != recordings else []
    )
    note = " ".join(
        [
            *earlier,
            *_complaint(store),
            "`%metask recordings show KEY` shows one; also: compact, forget, verify.",
        ]
    )
    return Table(
        f"{counted(len(recordings), 'recording')} in {store.path}",
        ("key", "recorded (UTC)", "model", "prompt", "characters"),
        rows,
        note,
    )


def _complaint(store: Recordings) -> list[str]:
    wrong = len(store.complaints)
    return [f"{counted(wrong, 'line')} could not be read: `%metask recordings verify`."] if wrong else []


def _show(store: Recordings, words: Sequence[str]) -> Table:
    if not (recordings := _with_key(store, words[0])):
        raise _no_such(words[0])
    (found,) = recordings
    return Table(f"{found.key}", (), tuple(_iter_facts(found)), f"Recorded {found.recorded} in {store.path}.")


def _iter_facts(recording: Recording) -> Sequence[tuple[str, str]]:
    request: Any = recording.request
    reply = recording.reply
    facts: list[tuple[str, JSON]] = [("model", recording.model), ("sample", request.get("sample"))]
    facts += [(str(name), value) for name, value in (request.get("params") or {}).items()]
    facts += [(name, request[name]) for name in ("tools", "response_format") if name in request]
    facts += [(str(message.get("role")), _said(message)) for message in request.get("messages") or ()]
    facts += [("reasoning", reply.reasoning)] if reply.reasoning else []
    facts += [("calls", f"{call.name}({call.arguments})") for call in reply.tool_calls]
    facts += [("reply", reply.text), ("finish reason", reply.finish_reason), ("served by", reply.model)]
    facts += [(name, figure) for name, figure in (reply.usage.to_json() if reply.usage else {}).items()]
    facts += [("seconds", reply.elapsed), ("request id", reply.request_id)]
    return [(plain(name), _printable(str(value))) for name, value in facts if value is not None]


def _said(message: Any) -> str:
    calls = [f"{call.get('name')}({call.get('arguments')})" for call in message.get("tool_calls", ())]
    return "\n".join([text for text in (message_text(message), *calls) if text])


def _printable(text: str) -> str:
    return "".join(c for c in text if c.isprintable() or c in "\n\t")


def _compact(store: Recordings, _words: Sequence[str]) -> str:
    dropped = store.compact()
    return f"{counted(dropped, 'line')} dropped; {counted(len(store.known_keys()), 'recording')} stay."


def _forget(store: Recordings, words: Sequence[str]) -> str:
    found = _with_key(store, words[0]) or _matching(store, words[0])
    if not found:
        raise _no_such(words[0])
    store.forget([recording.key for recording in found])
    return (
        f"{counted(len(found), 'recording')} forgotten; {counted(len(store.known_keys()), 'recording')} stay."
    )


def _verify(store: Recordings, _words: Sequence[str]) -> Table:
    right = store.verify()
    wrong = store.complaints
    title = f"{counted(right, 'line')} of {store.path} can be read" + (
        "." if wrong else ", and every key is right."
    )
    remedy = "`%metask recordings compact` drops what cannot be read, but not what is newer." if wrong else ""
    return Table(title, (), tuple((complaint,) for complaint in wrong), remedy)


def _with_key(store: Recordings, beginning: str) -> list[Recording]:
    """Return the recording whose key begins so. Raises `RecordingError` where there are several."""
    keys = [key for key in store.known_keys() if len(beginning) >= 4 and key.startswith(beginning.lower())]
    if len(keys) > 1:
        raise RecordingError(
            f"{len(keys)} keys begin with {beginning}: {', '.join(key[: SHORT + 4] for key in keys[:5])}.",
            "Give more of the key.",
        )
    found = [store.find(key) for key in keys]
    return [recording for recording in found if recording is not None]


def _matching(store: Recordings, pattern: str) -> list[Recording]:
    """Return the recordings whose model or whole prompt matches (`gpt-4*`, `*story*`)."""
    return [
        recording
        for recording in store.all()
        if fnmatchcase(recording.model, pattern) or fnmatchcase(recording.prompt, pattern)
    ]


def _no_such(word: str) -> RecordingError:
    return RecordingError(
        f"No recording is known by {plain(word)}.",
        "`%metask recordings` lists the keys; four digits of one are enough.",
    )


COMMANDS = {
    "show": _Command("show KEY", 1, _show),
    "compact": _Command("compact", 0, _compact),
    "forget": _Command("forget KEY, or a pattern for the model or the prompt: forget 'gpt-4*'", 1, _forget),
    "verify": _Command("verify", 0, _verify),
}
