"""What a terminal may be sent of a text that is not trusted."""

from __future__ import annotations

import re

from ..words import CONTROLS, MORE_CONTROLS, TURNING

# Nothing may move the cursor, rename the window, fill the clipboard, or turn the text round.
_CONTROL = re.compile(f"[{CONTROLS}{MORE_CONTROLS}{TURNING}]")


def printable(text: str) -> str:
    """Return `text` without control characters; tabs and the ends of lines stay."""
    return _CONTROL.sub("", text)
