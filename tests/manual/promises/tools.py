"""What `tools.md` promises."""

from __future__ import annotations

from ...gateway_server import Streamed, ToolCall
from ..promise import Promise

# Another program in the place of npx, and another address in that of example.org.
SERVERS = """
import dataclasses
from metask_magic.mcp import running
os.makedirs("bin", exist_ok=True)
with open("bin/npx", "w") as npx:
    npx.write("#!/bin/sh\\nexec " + servers_here["command"])
os.chmod("bin/npx", 0o755)
os.environ["PATH"] = os.path.abspath("bin") + os.pathsep + os.environ["PATH"]
os.environ["DOCS_TOKEN"] = servers_here["token"]
def there(given, said, reach=running.http):
    return reach(dataclasses.replace(given, url=servers_here["url"]), said)
running.http = there
"""
SEARCHED = Streamed([ToolCall(0, '{"query": "Lisbon"}', "c1", "docs_search")], "tool_calls")
BOTH_CITIES = Streamed(
    [
        ToolCall(0, '{"city": "Lisbon"}', "c1", "temperature"),
        ToolCall(1, '{"city": "Oslo"}', "c2", "temperature"),
    ],
    "tool_calls",
)

PROMISES = [
    Promise("def temperature(city: str) -> float:"),
    Promise(
        "%%metask gpt-4o-mini -T temperature -o warmer",
        answers=[BOTH_CITIES, Streamed(["By 15 degrees."])],
        asked=["gpt-4o-mini: How much warmer is Lisbon than Oslo?"] * 2,
        sends=[
            '"description": "The temperature in a city, in degrees.\\n',
            '"description": "Its name in English."',
            '"content": "20.0"',
        ],
        shows=["Lisbon", "20.0", "Oslo", "5.0", "By 15 degrees."],
    ),
    Promise(
        "for step in warmer.steps:",
        shows=['temperature(city="Lisbon") → 20.0\ntemperature(city="Oslo") → 5.0\n'],
    ),
    Promise(
        "%metask tools add files -- npx @modelcontextprotocol/server-filesystem ./data",
        before=SERVERS,
        shows=["It is asked when it is first used.", "npx then installs what is missing."],
    ),
    Promise(
        "%metask tools",
        shows=["files   echo", "docs    search", "only reads"],
        values={"[row[0] for row in _.rows][-1]": "docs"},
    ),
    Promise(
        "%%metask gpt-4o-mini -T files -T docs.search -T temperature",
        answers=[SEARCHED, Streamed(["None does."])],
        asked=["gpt-4o-mini: Which of the reports mention Lisbon?"] * 2,
        sends=['"name": "files_echo"', '"name": "temperature"', '"content": "found Lisbon"'],
        shows=['docs_search(query="Lisbon") → found Lisbon', "None does."],
    ),
    Promise(
        "%%metask gpt-4o-mini -a docs:report.txt --prompt docs.summarize topic=sales",
        asked=["gpt-4o-mini: Sum up the sales.…"],
        sends=["Resource docs://report.txt:", "Sold well.", "Be brief."],
    ),
    Promise(
        "%metask tools load mcp.json", shows=["reports is added: npx @modelcontextprotocol/server-filesystem"]
    ),
]
