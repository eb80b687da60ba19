"""What to say where there is no recording: the nearest one, and in what it differs."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..errors import RecordingMissError
from ..language import N_, _
from ..messages.kinds import JSON
from ..words import plain
from .recording import Recording, last_prompt, message_text
from .recording_key import dump
from .recordings import Recordings

COMPARED = 4000  # characters of a prompt
CLOSELY = 20  # recordings that are compared character by character
MOST_LINES = 12
REMEDY = N_(
    "Record it where there is a key: set METASK_RECORDING=auto and run the cell (--fresh asks again what is "
    "recorded). `%metask recordings` lists what there is."
)


def missed(described: Mapping[str, JSON], store: Recordings) -> RecordingMissError:
    """Return the error for a request that `describe` wrote down. Raises `RecordingError`."""
    recordings = [one for one in store.all() if "server" not in one.request]  # those are no prompts
    lines = [_("There is no recording of this request, and nothing is asked while recordings are replayed.")]
    near = nearest(described, recordings)
    if near is None:
        lines.append(_("{path} holds no recordings.", path=store.path))
    else:
        lines.append(
            _("The nearest of {count:,} is {key}. It differs in", count=len(recordings), key=near.key[:8])
        )
        lines += iter_differences(described, near.request)
    if count := len(store.complaints):
        lines.append(_("Lines that could not be read: {count:,} (`%metask recordings verify`).", count=count))
    return RecordingMissError("\n  ".join(lines), _(REMEDY))


def nearest(described: Mapping[str, JSON], recordings: Sequence[Recording]) -> Recording | None:
    """Return the recording with the most similar prompt; among equals, the one with the least differences."""
    prompt = last_prompt(described)[:COMPARED]
    words = set(prompt.split())

    def roughly(recording: Recording) -> tuple[float, int]:
        theirs = set(recording.prompt[:COMPARED].split())
        return len(words & theirs) / (len(words | theirs) or 1), _agreeing(described, recording.request)

    matcher = difflib.SequenceMatcher(autojunk=False)
    matcher.set_seq2(prompt)

    def closely(recording: Recording) -> tuple[float, int]:
        matcher.set_seq1(recording.prompt[:COMPARED])
        return matcher.ratio(), _agreeing(described, recording.request)

    candidates = sorted(recordings, key=roughly, reverse=True)[:CLOSELY]
    return max(candidates, key=closely, default=None)


def iter_differences(ours: Mapping[str, JSON], recorded: Mapping[str, JSON]) -> Iterator[str]:
    """Yield lines that say in what two requests differ, as `describe` wrote them down."""
    for name in ("model", "sample"):
        if ours.get(name) != recorded.get(name):
            yield _differs(name, _short(ours.get(name)), _short(recorded.get(name)))
    yield from _iter_parameters(ours.get("params"), recorded.get("params"))
    for name in ("tools", "response_format"):
        if ours.get(name) != recorded.get(name):
            yield f"{name}:"
            yield from _diff(_indented(recorded.get(name)), _indented(ours.get(name)))
    if ours.get("messages") != recorded.get("messages"):
        yield _("the messages (- recorded, + here):")
        yield from _diff(_said(recorded.get("messages")), _said(ours.get("messages")))


def _agreeing(ours: Mapping[str, JSON], recorded: Mapping[str, JSON]) -> int:
    """Count what is the same; the model weighs most."""
    same = sum(ours.get(name) == recorded.get(name) for name in ("sample", "params", "tools", "messages"))
    return same + 10 * (ours.get("model") == recorded.get("model"))


def _iter_parameters(ours: Any, recorded: Any) -> Iterator[str]:
    for name in sorted({*(ours or {}), *(recorded or {})}):
        here, there = (_short(said[name]) if name in said else _("not set") for said in (ours, recorded))
        if here != there:
            yield _differs(plain(name), here, there)


def _differs(name: str, here: str, recorded: str) -> str:
    return _("{name}: {here} here, {recorded} recorded", name=name, here=here, recorded=recorded)


def _diff(recorded: Sequence[str], ours: Sequence[str]) -> Iterator[str]:
    changed = [
        line
        for line in difflib.unified_diff(recorded, ours, n=1, lineterm="")
        if line[:3] not in {"---", "+++"}
    ]
    shown = [line for line in changed if not line.startswith("@@")][:MOST_LINES]
    yield from (f"  {line[0]} {_as_it_stands(line[1:])}".rstrip() for line in shown)
    if len(shown) == MOST_LINES:
        yield "  …"


def _as_it_stands(line: str) -> str:
    blanks = len(line) - len(line.lstrip(" "))
    return " " * blanks + plain(line)


def _said(messages: Any) -> list[str]:
    """The messages line by line, each below its role."""
    lines: list[str] = []
    for message in messages or ():
        calls = [f"{call.get('name')}({call.get('arguments')})" for call in message.get("tool_calls", ())]
        lines += [f"[{message.get('role')}]", *message_text(message).splitlines(), *calls]
    return lines


def _indented(value: Any) -> list[str]:
    return [] if value is None else dump(value, indent=1).splitlines()


def _short(value: Any) -> str:
    return plain(dump(value))
