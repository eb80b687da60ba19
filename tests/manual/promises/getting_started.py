"""What `getting-started.md` promises."""

from __future__ import annotations

from ...gateway_server import Streamed, model_not_found
from ..promise import Promise
from .readme import PROMISES as README

PROMISES = [
    README[0],
    Promise(
        "%metask login",
        before="del os.environ['METASK_API_KEY']",
        typed=["{key}", "n"],
        shows=["The key is used until the kernel ends."],
        values={"dict(magic('').rows)['key']": "`%metask login`"},
    ),
    Promise('hero = "Ada"'),
    README[1],
    Promise("%metask models gemini", shows=["2 of 8 models", "gemini-1.5-pro", "gemini-2.0-flash"]),
    Promise('%config Metask.model = "gpt-4o"', values={"dict(magic('').rows)['model']": "gpt-4o"}),
    README[3],
    Promise(
        "print(story.text)", shows=["Tell me a short story about Ada.\nUsage(prompt_tokens=11,", " stop\n"]
    ),
    Promise(
        "answer = %metask gpt-4o-mini What is 2 + 2?",
        answers=[Streamed(["It is 4."])],
        asked=["gpt-4o-mini: What is 2 + 2?"],
        shows=["It is 4."],
        values={"answer.text": "It is 4."},
    ),
    README[5],
    Promise(
        '%%metask gpt-4o-mini -p presence_penalty=0.5 -p stop=["END"]',
        asked=["gpt-4o-mini: Count to three, then say END."],
        sends=['"presence_penalty": 0.5', '"stop": ["END"]'],
    ),
    Promise("%metask", shows=["model", "gpt-4o", "base URL", "key", "`%metask login`"]),
    Promise(
        "%%metask gpt-4o-mini --dry-run",
        shows=["Not sent: ", '"content": "Tell me a short story about Ada."', "user: 32 characters"],
    ),
    Promise(
        "%metask gpt-4o-min What is 2 + 2?",
        answers=[model_not_found("gpt-4o-min")],
        asked=["gpt-4o-min: What is 2 + 2?"],
        fails="NotFoundError",
    ),
]
