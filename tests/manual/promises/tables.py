"""What `tables.md` promises."""

from __future__ import annotations

from ...gateway_server import Streamed, refused
from ..promise import Promise

OPINION = "gpt-4o-mini: What does this customer think?"
STARS = Streamed(['{"stars": 4}'])

PROMISES = [
    Promise("import pandas as pd"),
    Promise(
        "%%metask gpt-4o-mini --map reviews -o labelled --schema Review",
        answers=[STARS, refused(400)],
        asked=[f"{OPINION} Broken.", f"{OPINION} Fine."],
        shows=["2 rows: 1 answered, 1 failed"],
        values={
            "list(labelled.columns)": ["text", "stars", "reply_error", "reply_meta"],
            "[*map(int, labelled.stars.dropna())]": [4],
            "type(labelled).__name__, labelled is _": ("DataFrame", True),
        },
    ),
    Promise('labelled[["text", "stars", "reply_error"]]', shows=["The gateway did not accept the request"]),
    Promise("%%metask gpt-4o-mini --map reviews --dry-run", shows=["Not sent: ", "row 1", "Broken."]),
    Promise(
        "%%metask gpt-4o-mini --map reviews --limit 1",
        asked=[f"{OPINION} Fine."],
        shows=["1 row: 1 answered"],
    ),
    Promise(
        "import metask_magic",
        answers=[STARS],
        asked=[f"{OPINION} …"],
        values={"list(labelled.stars), list(labelled.reply_error.isna())": ([4, 4], [True, True])},
    ),
    Promise("%config Metask.max_concurrency = 8"),
    Promise(
        'cities = [{"city": "Paris"}, {"city": "Rome"}]',
        asked=["gpt-4o-mini: Which country is Paris in?", "gpt-4o-mini: Which country is Rome in?"],
        sends=['"temperature": 0'],
    ),
    Promise(
        '[answer["reply"] for answer in answers]',
        shows=["['Which country is Paris in?', 'Which country is Rome in?']"],
    ),
    Promise(
        "from dask.distributed import Client",
        values={"len(client.scheduler_info()['workers'])": 2},
    ),
    Promise(
        "%%metask gpt-4o-mini --map reviews --engine client -o labelled",
        asked=[f"{OPINION} Broken."],  # the first row is known from the limited run
        values={
            "list(labelled.reply)": [
                "What does this customer think? Fine.",
                "What does this customer think? Broken.",
            ]
        },
    ),
    Promise(
        "import dask.dataframe",
        asked=["gpt-4o-mini: Sum up: Broken.", "gpt-4o-mini: Sum up: Fine."],
        values={
            "type(_).__module__.partition('.')[0]": "dask",
            "list(_.reply.compute())": ["Sum up: Fine.", "Sum up: Broken."],
            "client.close()": None,
        },
    ),
]
