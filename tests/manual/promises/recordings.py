"""What `recordings.md` promises."""

from __future__ import annotations

from ..promise import Promise

FOX = "gpt-4o-mini: Tell me a short story about a fox."

PROMISES = [
    Promise('%config Metask.recording = "auto"'),
    Promise(
        "%%metask gpt-4o-mini -o story", times=2, asked=[FOX], values={"story.text": FOX.partition(": ")[2]}
    ),
    Promise("%%metask gpt-4o-mini --sample 2", times=2, asked=[FOX]),
    Promise("%metask recordings", shows=["2 recordings in ", "Tell me a short story about a fox."]),
    Promise("%metask recordings verify", shows=["2 lines of ", "every key is right."]),
]
