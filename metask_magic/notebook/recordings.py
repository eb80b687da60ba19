"""`%metask recordings`: list, show, compact, forget, verify."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from ..display.table import Table
from ..errors import RecordingError
from ..gateway.recording import Recording, message_text
from ..gateway.recordings import Recordings
from ..language import N_, _, ngettext, pgettext
from ..messages.kinds import JSON
from ..words import did_you_mean, listed, nearest, plain, sentences, shorten
from .option_words import words_of_command

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
        words = words_of_command(line)
    except ValueError:
        raise RecordingError(
            _("The line has a quotation mark that is never closed, or a \\ at its end."),
            _("Close it, or escape it with \\."),
        ) from None
    if not words:
        return overview(store)
    word, *rest = words
    command = COMMANDS.get(word)
    if command is None:
        like = nearest(word, COMMANDS)
        near = did_you_mean([f"`%metask recordings {name}`" for name in like])  # English: a command
        raise RecordingError(
            _("`%metask recordings` has no command {word}.", word=plain(word)),
            near
            or _(
                "There are {commands}; `%metask recordings` alone lists the recordings.",
                commands=listed(COMMANDS),
            ),
        )
    if len(rest) != command.words:
        raise RecordingError(
            _("`%metask recordings {word}` does not fit: {line}.", word=word, line=plain(line)),
            _("Type %metask recordings {usage}", usage=_(command.usage)),
        )
    return command.run(store, rest)


def overview(store: Recordings) -> Table:
    """Return the list of the latest recordings, the newest last."""
    recordings = store.all()
    if not recordings:
        remedy = _('`%config Metask.recording = "auto"` records the replies that come.')
        return Table(
            _("There are no recordings in {path}.", path=store.path),
            (),
            (),
            sentences(remedy, _complaint(store)),
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
    left_out = len(recordings) - len(shown)
    earlier = _("{number:,} earlier ones are not listed.", number=left_out) if left_out else ""
    also = _("`%metask recordings show KEY` shows one; also: compact, forget, verify.")
    return Table(
        ngettext(
            "{count} recording in {path}", "{count} recordings in {path}", len(recordings), path=store.path
        ),
        (pgettext("of a recording", "key"), _("recorded (UTC)"), _("model"), _("prompt"), _("characters")),
        rows,
        sentences(earlier, _complaint(store), also),
    )


def _complaint(store: Recordings) -> str:
    wrong = len(store.complaints)
    if not wrong:
        return ""
    return ngettext(
        "{count} line could not be read: `%metask recordings verify`.",
        "{count} lines could not be read: `%metask recordings verify`.",
        wrong,
    )


def _show(store: Recordings, words: Sequence[str]) -> Table:
    if not (recordings := _with_key(store, words[0])):
        raise _no_such(words[0])
    (found,) = recordings
    note = _("Recorded {time} in {path}.", time=found.recorded, path=store.path)
    return Table(found.key, (), tuple(_iter_facts(found)), note)


def _iter_facts(recording: Recording) -> Sequence[tuple[str, str]]:
    request: Any = recording.request
    reply = recording.reply
    facts: list[tuple[str, JSON]] = [(_("model"), recording.model), (_("sample"), request.get("sample"))]
    facts += [(str(name), value) for name, value in (request.get("params") or {}).items()]
    facts += [(name, request[name]) for name in ("tools", "response_format") if name in request]
    facts += [(str(message.get("role")), _said(message)) for message in request.get("messages") or ()]
    facts += [(_("reasoning"), reply.reasoning)] if reply.reasoning else []
    facts += [(_("calls"), f"{call.name}({call.arguments})") for call in reply.tool_calls]
    facts += [
        (_("reply"), reply.text),
        (_("finish reason"), reply.finish_reason),
        (_("served by"), reply.model),
    ]
    facts += [(name, figure) for name, figure in (reply.usage.to_json() if reply.usage else {}).items()]
    facts += [(_("seconds"), reply.elapsed), (_("request id"), reply.request_id)]
    return [(plain(name), _printable(str(value))) for name, value in facts if value is not None]


def _said(message: Any) -> str:
    calls = [f"{call.get('name')}({call.get('arguments')})" for call in message.get("tool_calls", ())]
    return "\n".join([text for text in (message_text(message), *calls) if text])


def _printable(text: str) -> str:
    return "".join(c for c in text if c.isprintable() or c in "\n\t")


def _compact(store: Recordings, _words: Sequence[str]) -> str:
    dropped = store.compact()
    return _and_what_stays(ngettext("{count} line dropped", "{count} lines dropped", dropped), store)


def _and_what_stays(done: str, store: Recordings) -> str:
    kept = ngettext("{count} recording stay", "{count} recordings stay", len(store.known_keys()))
    return _("{done}; {kept}.", done=done, kept=kept)


def _forget(store: Recordings, words: Sequence[str]) -> str:
    found = _with_key(store, words[0]) or _matching(store, words[0])
    if not found:
        raise _no_such(words[0])
    store.forget([recording.key for recording in found])
    return _and_what_stays(
        ngettext("{count} recording forgotten", "{count} recordings forgotten", len(found)), store
    )


def _verify(store: Recordings, _words: Sequence[str]) -> Table:
    right = store.verify()
    wrong = store.complaints
    if not wrong:
        return Table(
            ngettext(
                "{count} line of {path} can be read, and every key is right.",
                "{count} lines of {path} can be read, and every key is right.",
                right,
                path=store.path,
            ),
            (),
            (),
        )
    title = ngettext(
        "{count} line of {path} can be read.", "{count} lines of {path} can be read.", right, path=store.path
    )
    remedy = _("`%metask recordings compact` drops what cannot be read, but not what is newer.")
    return Table(title, (), tuple((complaint,) for complaint in wrong), remedy)


def _with_key(store: Recordings, beginning: str) -> list[Recording]:
    """Return the recording whose key begins so. Raises `RecordingError` where there are several."""
    keys = [key for key in store.known_keys() if len(beginning) >= 4 and key.startswith(beginning.lower())]
    if len(keys) > 1:
        raise RecordingError(
            _(
                "{number} keys begin with {beginning}: {keys}.",
                number=len(keys),
                beginning=beginning,
                keys=listed(key[: SHORT + 4] for key in keys[:5]),
            ),
            _("Give more of the key."),
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
        _("No recording is known by {word}.", word=plain(word)),
        _("`%metask recordings` lists the keys; four digits of one are enough."),
    )


COMMANDS = {
    "show": _Command("show KEY", 1, _show),
    "compact": _Command("compact", 0, _compact),
    "forget": _Command(
        N_("forget KEY, or a pattern for the model or the prompt: forget 'gpt-4*'"), 1, _forget
    ),
    "verify": _Command("verify", 0, _verify),
}
