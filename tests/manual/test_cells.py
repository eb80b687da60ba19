"""README and the manual, run: every cell in one kernel, page by page, and what each promises looked at.

A cell that is new on a page fails here until the page's module in `promises` says what must come of it.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from importlib import import_module
from importlib.util import find_spec
from itertools import zip_longest
from pathlib import Path

import pytest

from ..english import english_sentences
from ..examples import Block, documents, iter_blocks
from ..gateway_server import GatewayServer
from ..kernel import Kernel
from ..mcp.conftest import HOSTILE
from ..mcp.web import WebServer
from ..notebook.conftest import split
from .promise import Promise, Ran, like, name_of, run

PAGES: Mapping[str, Sequence[Block]] = {
    path: [*iter_blocks(page)] for path, page in documents().items() if path.startswith(("README", "docs/"))
}
FILES = {"json": "mcp.json"}
"""Where a reader puts a block of this language."""

# What a reader has in the kernel whatever the page.
SETTING = """
import os
os.makedirs({folder!r}, exist_ok=True)
os.chdir({folder!r})
os.environ["METASK_LANGUAGE"] = {language!r}
os.environ["METASK_API_KEY"] = {key}
os.environ["METASK_BASE_URL"] = {base_url!r}
hero = "Ada"
def magic(line):
    return get_ipython().run_line_magic("metask", line)
servers_here = {servers!r}
"""
TOKEN = "made-up-token-20817"
# Not `%reset`, which takes what Dask's workers need of `__main__`.
AFRESH = """%reset_selective -f .
%unload_ext metask_magic
get_ipython().config.pop("Metask", None)"""
LOAD = "%load_ext metask_magic"


@dataclass(frozen=True, slots=True)
class Told:
    """A cell of a page, and what stands right below it as what it shows."""

    page: str
    cell: str
    output: str = ""


def iter_told(page: str) -> Iterator[Told]:
    """Yield the cells of a page in their order: in README a block has several, in the manual it is one."""
    blocks = PAGES[page]
    for block, following in zip_longest(blocks, blocks[1:], fillvalue=Block("", "")):
        shown = following.code if following.language == "text" and following.follows_block else ""
        if not block.language:
            *cells, last = block.cells if page.startswith("README") else [block.code.strip("\n")]
            yield from (Told(page, cell) for cell in cells)
            yield Told(page, last, shown)


def promises_of(page: str) -> Sequence[Promise]:
    """Return what a page's module promises, in whatever language; nothing where there is none."""
    stem = Path(page).name.partition(".")[0]
    name = f"{__package__}.promises.{stem.lower().replace('-', '_')}"
    return import_module(name).PROMISES if find_spec(name) is not None else ()


def language_of(page: str) -> str:
    return "zh" if page.startswith(("README.zh", "docs/zh/")) else "en"


WITH_CELLS = [page for page in PAGES if language_of(page) == "en" and any(iter_told(page))]
# The cells of pages in Chinese are the same but for their prompts: `test_languages.py` looks.
IN_CHINESE = [page for page in PAGES if language_of(page) == "zh" and any(iter_told(page))]


@pytest.mark.parametrize("page", WITH_CELLS)
def test_every_cell_has_its_promise(page: str) -> None:
    assert [name_of(told.cell) for told in iter_told(page)] == [each.cell for each in promises_of(page)]


@pytest.fixture(scope="module")
def reading(
    kernel: Kernel, _gateway_of_the_session: GatewayServer
) -> Iterator[Callable[[str], Sequence[Ran]]]:
    """What came of the cells of a page, in their order; it is read when it is first asked for."""
    gateway = _gateway_of_the_session
    gateway.reset()
    with WebServer(TOKEN) as web:
        servers = {"command": shlex.join(HOSTILE), "url": web.url, "token": TOKEN}
        yield cache(partial(read, kernel, gateway, servers))
    assert not gateway.violations
    assert not kernel.has_sent(gateway.api_key)


def read(kernel: Kernel, gateway: GatewayServer, servers: Mapping[str, str], page: str) -> Sequence[Ran]:
    """Run a page's cells, in a kernel that has nothing of the page before."""
    folder = kernel.cwd / page
    kernel.run(AFRESH)
    setting = SETTING.format(
        folder=str(folder),
        language=language_of(page),
        key=split(gateway.api_key),
        base_url=gateway.base_url,
        servers=servers,
    )
    assert kernel.run(setting).error is None
    for block in PAGES[page]:
        if block.language in FILES:
            (folder / FILES[block.language]).write_text(block.code, encoding="utf-8")
    if not any(told.cell.startswith(LOAD) for told in iter_told(page)):
        kernel.run(LOAD)
    cells = zip(iter_told(page), promises_of(page), strict=False)  # what is missing has its own test
    return [run(kernel, gateway, told.cell, promise) for told, promise in cells]


CASES = [
    pytest.param(page, number, told, promise, id=f"{Path(page).stem}-{number}-{promise.cell}")
    for page in WITH_CELLS
    for number, (told, promise) in enumerate(zip(iter_told(page), promises_of(page), strict=False))
]


@pytest.mark.parametrize(("page", "number", "told", "promise"), CASES)
def test_a_cell_keeps_its_promise(
    reading: Callable[[str], Sequence[Ran]], page: str, number: int, told: Told, promise: Promise
) -> None:
    ran = reading(page)[number]
    assert ran.failed == promise.fails, ran.shown
    assert [*map(like, sorted(ran.asked), promise.asked)] == [*promise.asked]
    assert len(ran.asked) == len(promise.asked)
    assert [said for said in ran.asked if re.search(r"\S {2,}# ", said)] == [], "a model reads no remarks"
    assert [piece for piece in promise.sends if piece not in ran.sent] == [], ran.sent
    assert [piece for piece in promise.shows if piece not in ran.shown] == [], ran.shown
    assert unseen(told, ran) == [], ran.shown
    assert ran.values == {expression: repr(expected) for expression, expected in promise.values.items()}
    assert ran.put == ([] if promise.next_cell is None else [promise.next_cell])


@pytest.mark.parametrize("page", IN_CHINESE)
def test_who_reads_only_chinese_needs_nothing_else(
    reading: Callable[[str], Sequence[Ran]], page: str
) -> None:
    """From README to a reply, an error and a table: cells show what a page says, and no English of ours."""
    promises = promises_of(page)
    theirs = OTHERS + repr([promise.answers for promise in promises])
    for told, ran, promise in zip(iter_told(page), reading(page), promises, strict=True):
        assert ran.failed == promise.fails, ran.shown
        assert unseen(told, ran) == [], ran.shown
        english = english_sentences(ran.shown)
        assert [said for said in english if said not in theirs and said not in ran.sent] == [], told.cell


OTHERS = """
The metask_magic extension is already loaded. To reload it, use: %reload_ext metask_magic
Traceback (most recent call last) invalid literal for int() with base 10
The model does not exist or you do not have access to it.
Choices: any of Current Default
Sum up the sales.
stars: Value error, stars
"""
"""What IPython, Python, the gateway, traitlets, a server of tools and Pydantic say."""


def unseen(told: Told, ran: Ran) -> list[str]:
    """Return what a page says that a cell shows, and it does not; an `…` stands for anything."""
    pieces = (piece.strip() for line in told.output.splitlines() for piece in line.split("…"))
    return [piece for piece in pieces if piece not in ran.shown]
