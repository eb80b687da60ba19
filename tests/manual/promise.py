"""What a page promises of a cell, and the cell run."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from ..gateway_server import Answer, GatewayServer
from ..kernel import Execution, Kernel
from ..notebook.conftest import value


@dataclass(frozen=True, slots=True)
class Promise:
    """What must come of a cell, and what it finds.

    Attributes
    ----------
    cell
        Its first line, without a remark: which cell is meant.
    asked
        Every request, sorted: its model and the last user message's text, or its beginning before an `…`.
    sends
        Pieces of the last request.
    shows
        Pieces of what the cell shows.
    fails
        The name of the exception that it ends with.
    values
        Expressions of the notebook, and what they are afterwards.
    next_cell
        What is put into the cell below.
    answers
        What the gateway has in store; afterwards, and without, it sends back what it was asked.
    before, typed, then
        A cell that runs before, what is typed where the cell asks, what is done before the values.
    times
        How often it is run.

    """

    cell: str
    asked: Sequence[str] = ()
    sends: Sequence[str] = ()
    shows: Sequence[str] = ()
    fails: str = ""
    values: Mapping[str, object] = field(default_factory=dict)
    next_cell: str | None = None
    answers: Sequence[Answer] = ()
    before: str = "pass"
    typed: Sequence[str] | None = None
    then: Callable[[], object] | None = None
    times: int = 1


@dataclass(frozen=True, slots=True)
class Ran:
    """A cell that was run, the last time: itself, what was asked, the last request, values afterwards."""

    cell: Execution
    asked: Sequence[str]
    sent: str
    values: Mapping[str, str]

    @property
    def shown(self) -> str:
        """All that a reader sees below the cell, as text."""
        kinds = ("text/plain", "text/markdown")  # what is not whole is told in the second
        displays = (output["data"].get(kind, "") for output in self.cell.displays for kind in kinds)
        return "\n".join([self.cell.text(), *displays, *self._error])

    @property
    def _error(self) -> Sequence[str]:
        return self.cell.error["traceback"] if self.cell.error else []

    @property
    def failed(self) -> str:
        return str(self.cell.error["ename"]) if self.cell.error else ""

    @property
    def put(self) -> Sequence[str]:
        """What was put into the cell below."""
        payloads = self.cell.reply["payload"] if not self.failed else []
        return [payload["text"] for payload in payloads if payload["source"] == "set_next_input"]


def name_of(cell: str) -> str:
    """Return the first line of a cell, without a remark."""
    return without_remarks(cell.splitlines()[0])


def without_remarks(code: str) -> str:
    return re.sub(r"\s{2,}# .*", "", code)


def run(kernel: Kernel, gateway: GatewayServer, cell: str, promise: Promise) -> Ran:
    """Run a cell as a person does who reads the page."""
    asked_before = len(gateway.chats)
    gateway.script(*promise.answers)
    kernel.run(promise.before)
    typed = promise.typed and [text.format(key=gateway.api_key) for text in promise.typed]
    for _ in range(promise.times):
        last = kernel.run(cell, metadata={"cellId": cell}, inputs=typed)
    if promise.then is not None:
        promise.then()
    values = {expression: value(kernel, expression) for expression in promise.values}
    asked = gateway.chats[asked_before:]
    return Ran(
        last,
        [f"{received.json['model']}: {received.last_user_text}" for received in asked],
        json.dumps(asked[-1].json, ensure_ascii=False) if asked else "",
        values,
    )


def like(said: str, expected: str) -> str:
    """Return what was said, cut where an expectation ends in an `…`."""
    return said[: len(expected) - 1] + "…" if expected.endswith("…") else said
