"""What `values.md` promises."""

from __future__ import annotations

from ...gateway_server import Streamed
from ..promise import Promise

FOX = "gpt-4o-mini: Tell me a short story about a fox."
OPINION = "gpt-4o-mini: What does this customer think? Lovely, would buy again."
GLAD = Streamed(['{"stars": 4, "mood": "glad"}'])

PROMISES = [
    Promise("%%metask gpt-4o-mini -o story", asked=[FOX]),
    Promise(
        "print(story.usage.total_tokens, story.finish_reason, story.elapsed > 0)", shows=["18 stop True\n"]
    ),
    Promise(
        "%%metask gpt-4o-mini -o story --max-tokens 200",
        answers=[Streamed(["Once upon a time"], "length")],
        asked=["gpt-4o-mini: Tell me a long story about a fox."],
        sends=['"max_tokens": 200'],
        values={"story.text": "Once upon a time", "story.notice[:34]": "Cut off at the limit of 200 tokens"},
    ),
    Promise(
        "%%metask gpt-4o-mini -f code",
        answers=[Streamed(["Here it is:\n\n```python\nran = True\n```"])],
        asked=["gpt-4o-mini: Write Python that plots a sine."],
        next_cell="ran = True",
        values={"'ran' in globals()": False},
    ),
    Promise(
        "%%metask gpt-4o-mini -f json -o cities",
        answers=[Streamed(['{"Paris": 2.1}'])],
        asked=["gpt-4o-mini: Name three cities with their populations, as a JSON object."],
    ),
    Promise("cities.data", shows=["{'Paris': 2.1}"]),
    Promise("from typing import Literal"),
    Promise('text = "Lovely, would buy again."'),
    Promise(
        "%%metask gpt-4o-mini --schema Review -o review",
        answers=[GLAD],
        asked=[OPINION],
        sends=['"type": "json_schema"', '"strict": true', '"stars"', '"enum": ["glad", "angry", "neither"]'],
        values={"type(review.data) is Review, review.data.stars": (True, 4)},
    ),
    Promise("review.data.stars", shows=["4"]),
    Promise("from pydantic import field_validator"),
    Promise(
        "%%metask gpt-4o-mini --schema Rated -o rated",
        answers=[Streamed(['{"stars": 9, "mood": "glad"}']), GLAD],
        asked=[OPINION, "gpt-4o-mini: …"],
        sends=["stars go from 1 to 5"],
    ),
    Promise("print(rated.data.stars, len(rated.steps))", shows=["4 1\n"]),
]
