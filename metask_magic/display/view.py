"""The Python end of the streaming widget: what is new of each reply goes to the page as deltas.

The page's end is `frontend/src/session/`; its `protocol.js` names every message.
"""

from __future__ import annotations

import re
import sys
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anywidget
import traitlets

STATIC = Path(__file__).parent / "static"

if not (STATIC / "widget.js").is_file():
    raise ImportError("The widget's front end is not built: run `pip install -e .` in the project's folder.")

KEYFRAME_FROM = 2_000
KEYFRAME_GROWTH = 1.5


def utf16_length(text: str) -> int:
    """Return how long `text` is in JavaScript, where an emoji counts two."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le")) // 2


def connected_kernel_id() -> str:
    """Return the id the server knows this kernel by, or nothing outside of one."""
    if "ipykernel" not in sys.modules:  # importing it here would take comms over from whoever has them
        return ""
    from ipykernel.connect import get_connection_file

    try:
        match = re.search(r"kernel-([\w-]+)\.json$", get_connection_file())
    except RuntimeError:  # it is there, but runs no kernel
        return ""
    return match.group(1) if match else ""


@dataclass(slots=True)
class _Text:
    """A text that grows: all of it, and how much of it has been sent."""

    pieces: list[str] = field(default_factory=list)
    # How many pieces, and how many UTF-16 units they have. One value, so that an interrupt cannot part them.
    sent: tuple[int, int] = (0, 0)
    half: str = ""  # the first half of a pair of surrogates that a decoder cut through

    def feed(self, text: str) -> None:
        """Take in more; the page gets only what JSON can carry and JavaScript counts alike."""
        if not (text.isascii() and not self.half):
            text = self._without_lone_surrogates(text)
        # A carriage return would move offsets, as the page's Markdown reader normalises line ends.
        text = text.replace("\r", "")
        if text:
            self.pieces.append(text)

    def _without_lone_surrogates(self, text: str) -> str:
        text = self.half + text
        self.half = text[-1:] if "\ud800" <= text[-1:] <= "\udbff" else ""
        whole = text[:-1] if self.half else text
        return whole.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")

    def take(self) -> tuple[int, str] | None:
        """Return what is new with its offset, as sent from now on; None where nothing is."""
        count, offset = self.sent
        end = len(self.pieces)
        if count == end:
            return None
        text = "".join(self.pieces[count:end])
        self.sent = end, offset + utf16_length(text)
        return offset, text

    def __str__(self) -> str:
        return "".join(self.pieces)


@dataclass(slots=True)
class _Column:
    """One reply as the page should see it."""

    text: _Text = field(default_factory=_Text)
    reasoning: _Text = field(default_factory=_Text)
    about: dict[str, str] = field(default_factory=lambda: {"status": "waiting", "note": "", "detail": ""})
    changed: dict[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, str]:
        return {"text": str(self.text), "reasoning": str(self.reasoning), **self.about}


def _live_state(_value: object, view: ReplyView) -> list[dict[str, str]]:
    """Give whoever asks for the trait `state` the replies as they are now."""
    return view.snapshot()


def _pieces(texts: Sequence[_Text]) -> list[list[int | str]]:
    taken = ((index, text.take()) for index, text in enumerate(texts))
    return [[index, *piece] for index, piece in taken if piece is not None]


class ReplyView(anywidget.AnyWidget):
    """A widget with one column per model.

    Call `update` with what is new and `flush` on a clock; both from one thread. `on_stop` is called with a
    column, or None for all, from whatever thread the page's message arrives on.
    """

    _esm = STATIC / "widget.js"
    _css = STATIC / "widget.css"

    columns = traitlets.List(traitlets.Unicode(), help="The models' names.").tag(sync=True)
    session = traitlets.Unicode(help="What all views of this cell share their text by.").tag(sync=True)
    kernel_id = traitlets.Unicode(help="For the page to interrupt the kernel.").tag(sync=True)
    state = traitlets.Any(help="The replies so far, for a view that comes late.").tag(
        sync=True, to_json=_live_state
    )

    def __init__(
        self, columns: Sequence[str], on_stop: Callable[[int | None], None] | None = None, **traits: Any
    ) -> None:
        # These come first: opening the comm, which the base class does, already reads the state.
        self._replies = [_Column() for _ in columns]
        self._on_stop = on_stop
        self._keyframe_at = KEYFRAME_FROM
        traits.setdefault("session", uuid.uuid4().hex)
        traits.setdefault("kernel_id", connected_kernel_id())
        super().__init__(columns=list(columns), **traits)
        self.on_msg(self._receive)
        self._unpin_replies()

    def update(
        self,
        column: int,
        *,
        text: str = "",
        reasoning: str = "",
        status: str | None = None,
        note: str | None = None,
        detail: str | None = None,
    ) -> None:
        """Collect what is new of one reply; None leaves as it is. Nothing is sent before `flush`."""
        reply = self._replies[column]
        reply.text.feed(text)
        reply.reasoning.feed(reasoning)
        for name, value in (("status", status), ("note", note), ("detail", detail)):
            if value is not None and value != reply.about[name]:
                reply.about[name] = reply.changed[name] = value

    def flush(self) -> None:
        """Send what is new, if anything is, in one message; and all of it again when it has grown by half."""
        delta = {
            "text": _pieces([reply.text for reply in self._replies]),
            "reasoning": _pieces([reply.reasoning for reply in self._replies]),
            "status": [[i, reply.changed] for i, reply in enumerate(self._replies) if reply.changed],
        }
        if not any(delta.values()):
            return
        self._post({"type": "delta", **{name: news for name, news in delta.items() if news}})
        for reply in self._replies:
            reply.changed = {}
        size = sum(reply.text.sent[1] + reply.reasoning.sent[1] for reply in self._replies)
        if size >= self._keyframe_at:
            self._keyframe_at = int(size * KEYFRAME_GROWTH)
            self._post_keyframe()

    def snapshot(self) -> list[dict[str, str]]:
        """Every reply so far, what has not been sent included."""
        return [reply.to_json() for reply in self._replies]

    def _receive(self, _view: object, content: Mapping[str, Any], _buffers: object) -> None:
        kind = content.get("type")
        if kind == "hello":
            self._post({"type": "ack"})
        elif kind == "resync":
            self._post_keyframe()
        elif kind == "stop" and self._on_stop is not None:
            self._stop(content.get("column"))

    def _stop(self, column: object) -> None:
        assert self._on_stop is not None  # noqa: S101 - for mypy; `_receive` has looked
        if column is None:
            self._on_stop(None)
        elif isinstance(column, int) and 0 <= column < len(self._replies):
            self._on_stop(column)

    def _post_keyframe(self) -> None:
        self._post({"type": "keyframe", "state": self.snapshot()})

    def _post(self, message: dict[str, Any]) -> None:
        self.send(message)
        self._unpin_replies()

    def _unpin_replies(self) -> None:
        """Let the page's messages arrive while the cell runs.

        ipykernel 7.4.0 sends what a page says on a comm to the shell that last spoke on it: here the main
        one, which is busy until the cell ends. Forgetting which that was routes them to a subshell again.
        The attribute is private: where there is none, nothing is to be done.
        """
        getattr(self.comm, "__dict__", {}).pop("_reply_subshell_id", None)
