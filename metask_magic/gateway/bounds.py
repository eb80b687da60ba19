"""How much of a server's answer is held: past these bounds it is no answer any more, but a fault.

They are far above what any model sends (a reply of 100,000 tokens has some 500,000 characters, in events of
a few hundred bytes) and low enough for the memory of a small machine.
"""

from __future__ import annotations

LONGEST_LINE = 16 * 2**20
"""Bytes of one line of an event stream."""

LONGEST_EVENT = 16 * 2**20
"""Bytes of one event, which may have several lines."""

LONGEST_REPLY = 64 * 2**20
"""Characters of a reply's text, reasoning and calls together; bytes of one that comes as one piece."""

LONGEST_REFUSAL = 2**20
"""Bytes of an answer that is no reply (an error, a redirect, a page): more of it is not read."""
