"""What README promises."""

from __future__ import annotations

from ...gateway_server import Streamed
from ..promise import Promise

STORY = "gpt-4o-mini: Tell me a short story about Ada."

PROMISES = [
    Promise(
        "%load_ext metask_magic",
        values={"'metask' in get_ipython().magics_manager.magics['cell']": True},
    ),
    Promise("%%metask gpt-4o-mini", asked=[STORY], shows=["Tell me a short story about Ada."]),
    Promise(
        "%load_ext metask_magic",
        before="del os.environ['METASK_API_KEY']",
        typed=["{key}", "n"],
        shows=["The key is used until the kernel ends."],
        values={"dict(magic('').rows)['key']": "`%metask login`"},
    ),
    Promise(
        "%%metask gpt-4o-mini -o story",
        asked=[STORY],
        values={"story.text": "Tell me a short story about Ada.", "story is _": True},
    ),
    Promise(
        "answer = %metask gpt-4o-mini What is 2 + 2?",
        answers=[Streamed(["It is 4."])],
        asked=["gpt-4o-mini: What is 2 + 2?"],
        shows=["It is 4.", "Tell me a short story about Ada. Usage(prompt_tokens=11,", " stop\n"],
        values={"answer.text": "It is 4."},
    ),
    Promise(
        '%%metask claude-3-5-sonnet-20241022 -s "Be brief." --temperature 0 --max-tokens 200',
        asked=[
            "claude-3-5-sonnet-20241022: "
            r'Explain {\LaTeX}, {"json": {}} and cout << x; none of it needs quoting.'
        ],
        sends=['{"role": "system", "content": "Be brief."}', '"temperature": 0', '"max_tokens": 200'],
    ),
]
