"""Who is looking: a notebook that shows widgets, a run without anybody, or a terminal."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any

from ..messages.kinds import Format
from ..messages.record import Sink
from .extras import NONE, Extras
from .publish import PublishSink
from .silent import SilentSink
from .terminal import TerminalSink

_ID_OF_CLIENT = re.compile(r"_\d+_\d+$")  # a process and a count behind the session; pages make UUIDs


class FrontEnd(Enum):
    """Where a cell's output goes."""

    NOTEBOOK = "notebook"
    NOBODY = "nobody"
    TERMINAL = "terminal"


def detect(shell: Any) -> FrontEnd:
    """Tell who is looking, from the request that runs the cell.

    JupyterLab, Notebook 7 and VS Code send a `cellId` with it; nbclient, nbval and papermill do not, and let
    nobody be asked anything, as `jupyter console` does. Voilà is like nbclient, but has a page. That is
    convention, not protocol: `Metask.display` overrides it.
    """
    kernel = getattr(shell, "kernel", None)
    if kernel is None:
        return FrontEnd.TERMINAL
    request = kernel.get_parent("shell")
    if "cellId" in (request.get("metadata") or {}) or "google.colab" in sys.modules or _is_of_voila():
        return FrontEnd.NOTEBOOK
    return FrontEnd.TERMINAL if _is_of_console(request) else FrontEnd.NOBODY


def _is_of_console(request: Mapping[str, Any]) -> bool:
    """Whether a person sits at a program that asks in Python: its ids of messages are jupyter_client's."""
    answers = (request.get("content") or {}).get("allow_stdin") is True
    return answers and _ID_OF_CLIENT.search(str((request.get("header") or {}).get("msg_id"))) is not None


def _is_of_voila() -> bool:
    """Whether Voilà has started the kernel: for a page, or before one asks for it."""
    return os.environ.get("SERVER_SOFTWARE", "").startswith("voila/") or "VOILA_PREHEAT" in os.environ


def choose_sink(
    front_end: FrontEnd,
    display: str,
    models: Sequence[str],
    *,
    quiet: bool,
    show_reasoning: bool,
    format: Format = "markdown",
    background: bool = False,
    extras: Extras = NONE,
) -> Sink:
    """Return the sink for a front end and the settings of how replies are shown."""
    if quiet:
        return SilentSink()
    if display == "text" or (display == "auto" and front_end is FrontEnd.TERMINAL):
        in_terminal = front_end is FrontEnd.TERMINAL
        return TerminalSink(models, show_reasoning=show_reasoning, show_notices=in_terminal)
    if display == "widget" or (display == "auto" and front_end is FrontEnd.NOTEBOOK):
        from .widget import WidgetSink

        return WidgetSink(
            models, show_reasoning=show_reasoning, format=format, background=background, extras=extras
        )
    return PublishSink(extras)
