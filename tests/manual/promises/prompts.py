"""What `prompts.md` promises."""

from __future__ import annotations

from ..promise import Promise

PROMISES = [
    Promise("import pandas as pd"),
    Promise(
        "%%metask gpt-4o-mini",
        asked=[
            "gpt-4o-mini: In which month did we sell the most?\n\n"
            "2 rows × 2 columns: month (str), sold (int64)…"
        ],
        sends=["| May | 3 |"],
    ),
    Promise(
        "%%metask gpt-4o-mini",
        asked=["gpt-4o-mini: \n- May: 3\n- June: 5\nWhich month is missing between April and July?"],
    ),
    Promise(
        "%%metask gpt-4o-mini",
        asked=[
            'gpt-4o-mini: Name what these have in common: [{"month": "May", "sold": 3}, '
            '{"month": "June", "sold": 5}] and May, June.'
        ],
    ),
    Promise("import matplotlib.pyplot as plt", before="import matplotlib; matplotlib.use('agg')"),
    Promise(
        "%%metask gpt-4o -a figure -a notes.pdf",
        asked=["gpt-4o: …"],
        sends=["data:image/png;base64,", "Sold well.", "| May | 3 |", "agree with the figure?"],
    ),
    Promise("%%metask gpt-4o-mini -c story", asked=["gpt-4o-mini: Tell me a story in two sentences."]),
    Promise(
        "%%metask gpt-4o-mini -c story",
        times=2,
        asked=["gpt-4o-mini: And what happened then?"] * 2 + ["gpt-4o-mini: Go on."],
        values={
            "len(magic('chats show story').to_messages())": 4,
            "magic('gpt-4o-mini -c story Go on.').text": "Go on.",
        },
        sends=['"And what happened then?"}, {"role": "assistant",', '"Go on."'],
    ),
    Promise("%metask chats", shows=["1 conversation", "story"]),
    Promise(
        "%metask chats save story story.jsonl",
        shows=["story is saved with 3 turns", "copy is loaded with 3 turns", "Go on."],
        values={"os.path.exists('story.jsonl')": True},
    ),
    Promise('month = "July"', fails="ValueError"),
    Promise(
        "%metask explain",
        asked=["gpt-4o-mini: # The exception…"],
        sends=["ValueError: invalid literal", "int(month)", "- `month` = `'July'`"],
    ),
]
