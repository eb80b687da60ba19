"""What a terminal may be sent of a text that is not trusted."""

from __future__ import annotations

import re

# Nothing may move the cursor, rename the window, fill the clipboard, or turn the text round.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def printable(text: str) -> str:
    """Return `text` without control characters; tabs and the ends of lines stay."""
    return _CONTROL.sub("", text)
