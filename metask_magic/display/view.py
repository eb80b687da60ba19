"""The Python end of the streaming widget: what is new of each reply goes to the page as deltas.

The page's end is `frontend/src/session/`; its `protocol.js` names every message.
"""

from __future__ import annotations

import re
import sys
import threading
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from ..language import ngettext
from ..messages.events import Step
from ..messages.kinds import Format
from .page_words import words_of_the_page

STATIC = Path(__file__).parent / "static"

if not (STATIC / "widget.js").is_file():
    raise ImportError(  # English: whoever works on this project reads it
        "The widget's front end is not built: run `pip install -e .` in the project's folder."
    )

KEYFRAME_FROM = 2_000
KEYFRAME_GROWTH = 1.5
LONGEST_BODY = 10_000  # characters of a step that the page gets


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


def _paired(text: str) -> str:
    """Return `text` with halves of pairs of surrogates replaced, which JSON cannot carry."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


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
        return _paired(text[:-1] if self.half else text)

    def give_way(self) -> int:
        """Return where the text that comes next begins, in UTF-16 units."""
        self.half = ""
        count, offset = self.sent
        return offset + utf16_length("".join(self.pieces[count:]))

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
    steps: list[dict[str, Any]] = field(default_factory=list)
    sent_steps: int = 0
    about: dict[str, Any] = field(
        default_factory=lambda: {"start": 0, "status": "waiting", "note": "", "detail": ""}
    )
    changed: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return {
            "text": str(self.text),
            "reasoning": str(self.reasoning),
            "steps": list(self.steps),
            **self.about,
        }

    def note(self, name: str, value: object) -> None:
        """Note a fact that may have changed."""
        if value is not None and value != self.about[name]:
            self.about[name] = self.changed[name] = value

    def take_steps(self) -> list[tuple[int, dict[str, Any]]]:
        """Return what is new with its places, as sent from now on."""
        at, self.sent_steps = self.sent_steps, len(self.steps)
        return list(enumerate(self.steps[at : self.sent_steps], at))


def _shown(step: Step) -> dict[str, Any]:
    cut = len(step.body) - LONGEST_BODY
    body = step.body
    if cut > 0:
        more = ngettext("… {count} character more", "… {count} characters more", cut)
        body = f"{body[:LONGEST_BODY]}\n{more}"
    return {"title": _paired(step.title), "body": _paired(body), "failed": step.failed}


def _live_state(_value: object, view: ReplyView) -> list[dict[str, Any]]:
    """Give whoever asks for the trait `state` the replies as they are now."""
    return view.snapshot()


def _pieces(texts: Sequence[_Text]) -> list[list[int | str]]:
    taken = ((index, text.take()) for index, text in enumerate(texts))
    return [[index, *piece] for index, piece in taken if piece is not None]


class ReplyView(anywidget.AnyWidget):
    """A widget with one column per model.

    Call `update`, `add_step` and `give_way` with what is new and `flush` on a clock; all from one thread.
    `on_stop` is called with a column, or None for all, from whatever thread the page's message arrives on.
    """

    _esm = STATIC / "widget.js"
    _css = STATIC / "widget.css"

    columns = traitlets.List(traitlets.Unicode()).tag(sync=True)
    """The models' names."""
    session = traitlets.Unicode().tag(sync=True)
    """What all views of this cell share their text by."""
    cell = traitlets.Unicode().tag(sync=True)
    """The id of the cell that shows it."""
    kernel_id = traitlets.Unicode().tag(sync=True)
    """For the page to interrupt the kernel."""
    format = traitlets.Unicode().tag(sync=True)
    """What the text is: Markdown, or another format."""
    words = traitlets.Dict().tag(sync=True)
    """The page's words, translated."""
    state = traitlets.Any().tag(sync=True, to_json=_live_state)
    """The replies so far, for a view that comes late."""

    def __init__(
        self,
        columns: Sequence[str],
        on_stop: Callable[[int | None], None] | None = None,
        format: Format = "markdown",
        **traits: Any,
    ) -> None:
        # These come first: opening the comm, which the base class does, already reads the state.
        self._replies = [_Column() for _ in columns]
        self._on_stop = on_stop
        self._keyframe_at = KEYFRAME_FROM
        self._greeted = threading.Event()
        self._reaches_cells = False
        self._record: dict[str, Any] | None = None
        traits.setdefault("session", uuid.uuid4().hex)
        traits.setdefault("kernel_id", connected_kernel_id())
        traits.setdefault("words", words_of_the_page())
        # The page finds the output of a session by the id of the model.
        super().__init__(columns=list(columns), format=format, model_id=traits["session"], **traits)
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
            reply.note(name, value)

    def add_step(self, column: int, step: Step) -> None:
        """Add a step to those above a reply's text. Nothing is sent before `flush`."""
        self._replies[column].steps.append(_shown(step))

    def give_way(self, column: int) -> None:
        """Let the text so far give way to what comes.

        It is no longer shown, but offsets go on from it: so no message that is late or comes twice can be
        taken for a part of the new text.
        """
        reply = self._replies[column]
        reply.note("start", reply.text.give_way())

    def await_cells(self, seconds: float) -> bool:
        """Tell whether a page can put something into the next cell; wait so long for it to say so."""
        self._greeted.wait(seconds)
        return self._reaches_cells

    def fill_next_cell(self, cell: str, source: str, known: str | None) -> None:
        """Have the page put code into the cell behind `cell`; see `frontend/src/session/cells.js`."""
        self._post({"type": "next_cell", "cell": cell, "source": source, "known": known})

    def keep(self, bundle: Mapping[str, Any], metadata: Mapping[str, Any], note: str) -> None:
        """Have the record ready for a page that is loaded too late for what replaces the view."""
        self._record = {"type": "record", "data": dict(bundle), "metadata": dict(metadata), "note": note}

    def flush(self) -> None:
        """Send what is new, if anything is, in one message; and all of it again when it has grown by half."""
        delta = {
            "text": _pieces([reply.text for reply in self._replies]),
            "reasoning": _pieces([reply.reasoning for reply in self._replies]),
            "steps": [[i, *step] for i, reply in enumerate(self._replies) for step in reply.take_steps()],
            "status": [[i, reply.changed] for i, reply in enumerate(self._replies) if reply.changed],
        }
        if not any(delta.values()):
            return
        self._post({"type": "delta", **{name: news for name, news in delta.items() if news}})
        for reply in self._replies:
            reply.changed = {}
        size = sum(reply.text.sent[1] + reply.reasoning.sent[1] for reply in self._replies)
        if size >= self._keyframe_at:
            while size >= self._keyframe_at:  # at fixed sizes: traffic must not depend on the clock's beat
                self._keyframe_at = int(self._keyframe_at * KEYFRAME_GROWTH)
            self._post_keyframe()

    def snapshot(self) -> list[dict[str, Any]]:
        """Every reply so far, what has not been sent included."""
        return [reply.to_json() for reply in self._replies]

    def _receive(self, _view: object, content: Mapping[str, Any], _buffers: object) -> None:
        kind = content.get("type")
        if kind == "hello":
            self._reaches_cells = content.get("cells") is True
            self._greeted.set()
            self._post({"type": "ack"})
        elif kind == "resync":
            self._post_keyframe()
        elif kind == "record" and self._record is not None:
            self._post(self._record)
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
