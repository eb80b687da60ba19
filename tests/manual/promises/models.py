"""What `models.md` promises."""

from __future__ import annotations

from ...gateway_server import Gate, Streamed
from ..promise import Promise

FOUR = ("gpt-4o-mini", "claude-3-haiku-20240307", "gemini-1.5-pro", "gemini-2.0-flash")
TEA = "Which is better, tea or coffee?"
STARS = Streamed(['{"stars": 4}'])
MEANWHILE = Gate()
TO_COME = "import time\nwhile not later.text:\n    time.sleep(0.01)"
THANKS = [
    f"{model}: Write a reply to this customer: {text}"
    for model in ("gpt-4o-mini", "gpt-4o")
    for text in ("Broken.", "Fine.")
]

PROMISES = [
    Promise(
        "%%metask gpt-4o-mini claude-3-haiku-20240307 gemini-* -o answers",
        asked=sorted(f"{model}: {TEA}" for model in FOUR),
        shows=["gemini-1.5-pro", "gemini-2.0-flash"],
        values={"{name: reply.text for name, reply in _.items()}": dict.fromkeys(FOUR, TEA)},
    ),
    Promise(
        "{name: len(reply.text) for name, reply in answers.items()}",
        shows=["'claude-3-haiku-20240307': 31", "'gemini-2.0-flash': 31"],
    ),
    Promise('%config Metask.aliases = {"fast": "gpt-4o-mini", "both": "gpt-4o-mini gpt-4o"}'),
    Promise("%%metask both", asked=[f"gpt-4o-mini: {TEA}", f"gpt-4o: {TEA}"]),
    Promise(
        "%%metask gpt-4o-mini --background -o later",
        answers=[Streamed(["Once upon ", MEANWHILE, "a time."])],
        asked=["gpt-4o-mini: Write a long story."],
        values={"later.done": False},
    ),
    Promise("print(later.text)", before=TO_COME, shows=["Once upon \n"], then=MEANWHILE.open),
    Promise(
        "reply = later.wait()",
        values={
            "reply.text, later.reply.text": ("Once upon a time.",) * 2,
            "(await later).text": "Once upon a time.",
            "later.done, later.cancel(), later.wait(timeout=60).text": (True, None, "Once upon a time."),
        },
    ),
    Promise(
        "%metask usage",
        shows=["gpt-4o-mini", "claude-3-haiku-20240307", "tokens"],
        values={"magic('usage').total.tokens // magic('usage').total.requests": 18},
    ),
    Promise(
        "%metask export answer.py",
        shows=["Written to answer.py."],
        values={
            "'Write a long story.' in open('answer.py').read()": True,
            "os.environ['METASK_BASE_URL'] in open('answer.py').read()": True,
            "compile(open('answer.py').read(), 'answer.py', 'exec').co_name": "<module>",
            "later.reply.as_code('curl').splitlines()[0]": "#!/usr/bin/env bash",
        },
    ),
    Promise("import pandas as pd"),
    Promise(
        "%%metask gpt-4o-mini claude-3-haiku-20240307 gemini-* --map labelled_reviews --schema Review "
        "--check stars -o trial",
        answers=[STARS] * 8,
        times=2,
        asked=sorted(
            f"{model}: What does this customer think? {text}"
            for model in FOUR
            for text in ("Fine.", "Broken.")
        ),
        shows=["4 models on 2 rows of labelled_reviews, checked by stars", "no real difference"],
        values={
            "sorted((each.model, each.score) for each in trial.standings)": [
                (model, 0.5) for model in sorted(FOUR)
            ],
            "list(trial.table.columns)": [
                *("text", "stars", "model", "reply_stars", "score", "reason"),
                *("check_error", "reply_error", "reply_meta"),
            ],
            "[len(frame) for frame in (trial.to_pandas(), trial.to_polars(), trial.to_arrow())]": [8, 8, 8],
            "len(trial.to_dicts()), trial.to_markdown()[:2]": (8, "##"),
        },
    ),
    Promise("def is_short(row, reply):"),
    Promise(
        "%%metask gpt-4o-mini gpt-4o --map labelled_reviews --check is_short -o short",
        asked=THANKS,
        shows=["checked by is_short"],
        values={"list(short.table.score)": [1.0] * 4},
    ),
    Promise('rubric = "It thanks."'),
    Promise(
        "%%metask gpt-4o-mini gpt-4o --map labelled_reviews --check judge --judge o3-mini --rubric rubric "
        "-o replies",
        answers=[Streamed(['{"reason": "It thanks.", "score": 1}'])] * 2,
        asked=["o3-mini: <task-…", "o3-mini: <task-…"],  # the answers are known from the cell before
        shows=["Judged by o3-mini, which saw no names: 4 verdicts"],
        values={"list(replies.table.score)": [1.0] * 4},
    ),
    Promise("trial.disagreements(n=5)", shows=["The models differ in no row."]),
    Promise('trial.best(cost="lowest", score=0.5)', shows=["gemini-2.0-flash"]),
    Promise('trial["gpt-4o-mini"].score', shows=["0.5"]),
    Promise(
        "from metask_magic import Trial",
        values={"Trial.load('trial.jsonl').models == trial.models": True},
    ),
]
