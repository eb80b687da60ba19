"""The next cell: where the code of a `-f code` reply goes, never run, and not a second time."""

from __future__ import annotations

import sys
from typing import Any

from ..display.front_end import FrontEnd, detect
from ..display.place import id_of_cell
from ..display.widget import WidgetSink
from ..language import N_, _
from ..messages.record import Sink

_CANNOT_CHANGE = N_(
    "The code differs from what this cell gave before, and the next cell cannot be changed from here: "
    "`_.code_blocks` has it."
)


class NextCell:
    """Puts code below the cell that asked.

    JupyterLab and Notebook let the page do it, which finds a cell it has put there before and fills it anew,
    unless the user has changed it. Elsewhere the kernel can only ask for a new cell: once for each cell that
    asks, or a re-run would leave a second one. A terminal has its next prompt filled every time.
    """

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        self._put: dict[str, str] = {}  # what came last below each cell that asked

    def put(self, code: str, sink: Sink) -> None:
        """Put `code` into the next cell; call it once the reply has ended well, its record in place.

        `sink` is what showed the reply. Where nobody looks (nbclient, nbval, papermill) nothing happens.
        """
        code = code.replace("\r\n", "\n").removesuffix("\n")
        front_end = detect(self._shell)
        if not code or front_end is FrontEnd.NOBODY:
            return
        if front_end is FrontEnd.TERMINAL:
            self._shell.set_next_input(code)
            return
        cell, asking = self._asking()
        known = self._put.get(asking)
        if cell and isinstance(sink, WidgetSink) and sink.fill_next_cell(cell, code, known):
            self._put[asking] = code
        elif known is None:
            self._shell.set_next_input(code, replace=False)
            self._put[asking] = code
        elif known != code:
            print(_(_CANNOT_CHANGE), file=sys.stderr, flush=True)

    def _asking(self) -> tuple[str, str]:
        """Return the id of the running cell, if the front end sent it, and what to know the cell by."""
        cell = id_of_cell(self._shell)
        code = self._shell.kernel.get_parent("shell").get("content", {}).get("code", "")
        return cell, cell or str(code)
