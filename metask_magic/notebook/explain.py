"""`%metask explain`: the last exception of the notebook, written down so that a model can explain it."""

from __future__ import annotations

import inspect
import linecache
import os
import re
import site
import sys
import sysconfig
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any

from ..errors import PromptError
from ..language import _
from ..words import shorten, width
from .glimpse import Glimpser
from .hiding import HIDDEN, Hiding, is_secret

SYSTEM = (  # English: a model reads it
    "You explain exceptions of a Jupyter notebook to its author. Name the cause in a sentence or two, point "
    "to the line, then show the corrected code. The line that ran when it failed is marked with →. If what "
    "is shown does not settle the cause, say what to look at. Be brief."
)
QUESTION = "Why did this fail, and how is it corrected?"  # English: a model reads it

LONGEST = 24_000  # characters of the whole description
LONGEST_SAID = 2_000  # of the exception's own message
LONGEST_LINE = 200
MOST_VARIABLES = 20  # of one frame
MOST_LINKS = 5  # exceptions before the last
AROUND_SYNTAX_ERROR = 20  # lines

_CELL = re.compile(r"^<ipython-input-|[\\/]ipykernel_\d+[\\/]")
_PACKAGES = re.compile(r"[\\/](?:site|dist)-packages[\\/]")
_OWN_TEXT = ("<string>", "<stdin>", "<timed ")


def last_exception() -> BaseException:
    """Return the exception of the last cell that failed, even if other cells have run since.

    Raises
    ------
    PromptError
        No cell has failed.

    """
    # IPython sets `last_value` in all its versions, `last_exc` only in new ones on Python 3.12.
    error: BaseException | None = getattr(sys, "last_value", None)
    while (before := getattr(error, "explaining", None)) is not None:
        error = before
    if error is None:
        raise PromptError(_("There is no exception to explain."), _("Run it right after a cell that failed."))
    return error


def describe(
    error: BaseException, tb: TracebackType | None, question: str, hide: Callable[[str], str]
) -> str:
    """Return a prompt in Markdown: the exception, the user's code on its way with variables, the question.

    Parameters
    ----------
    error, tb
        The exception and its traceback; without one, the exception is all there is.
    question
        What the user asks; empty for the usual question.
    hide
        Replaces the session's key. Values of variables whose names sound secret go as well.

    """
    hiding = Hiding(hide)
    links = list(_iter_walk(tb))
    for link in links:
        if _is_own(link):
            hiding.learn(link.tb_frame.f_globals)
            hiding.learn(link.tb_frame.f_locals)
    about = _Telling(hiding, next((_filename(link) for link in links if _is_own(link)), ""))
    sections = [about.exception(error)]
    if isinstance(error, SyntaxError):
        sections.append(about.syntax_error(error))
    if about.cell or not isinstance(error, SyntaxError):  # else the calls are the compiler's
        sections += about.calls(links)
    return hiding(f"{_fit(sections)}\n\n{question.strip() or QUESTION}")


class _Telling:
    """Writes the sections. `cell` is the file name of the cell that failed, or empty."""

    def __init__(self, hiding: Hiding, cell: str) -> None:
        self._hiding = hiding
        self._glimpse = Glimpser(hiding)
        self.cell = cell

    def exception(self, error: BaseException) -> str:
        said = self._said(error)
        lines = ["# The exception", "", _fenced(said, "text"), ""]  # English: a model reads it
        lines += [f"- {relation} {self._in_short(one)}" for relation, one in _iter_related(error)]
        return "\n".join(lines).rstrip()

    def calls(self, links: Sequence[TracebackType]) -> Iterator[str]:
        """Yield a section for each call, the outermost first; those in libraries are one line each."""
        kept, left_out = _without_repetition(links)
        if any(map(_is_own, links)):
            yield "# The calls, the last one last"  # English: a model reads it
        if left_out:
            yield f"({left_out:,} more calls of the same lines are left out.)"  # English: a model reads it
        for link in kept:
            if _is_own(link):
                yield self._own_call(link)
            else:
                source = link is kept[-1]
                yield self._library_call(link, source=source)

    def syntax_error(self, error: SyntaxError) -> str:
        lines = linecache.getlines(error.filename or "")
        if not lines or not error.lineno:
            return ""
        first = max(0, error.lineno - AROUND_SYNTAX_ERROR - 1)
        shown = []
        for number, line in enumerate(lines[first : error.lineno + AROUND_SYNTAX_ERROR], first + 1):
            shown.append(_numbered(number, line, marked=number == error.lineno))
            if number == error.lineno and error.offset:
                shown.append(" " * (len(_numbered(number, "")) + _columns(line, error.offset - 1)) + "^")
        return f"# In {self._place(error.filename or '')}\n\n" + _fenced("\n".join(shown), "text")

    def _own_call(self, link: TracebackType) -> str:
        called = "" if _is_top(link) else f", in `{link.tb_frame.f_code.co_name}`"
        title = f"## In {self._place(_filename(link))}, line {link.tb_lineno}{called}"
        source, variables = self._look(link)
        parts = [title, _fenced(source, "python")] if source else [title]
        return "\n\n".join([*parts, "\n".join(variables)]).rstrip()

    def _look(self, link: TracebackType) -> tuple[str, list[str]]:
        """Return the lines of a call and what the variables in them hold."""
        from stack_data import FrameInfo, Line, Options

        whole = _is_top(link)
        options = Options(
            before=40 if whole else 6,
            after=20 if whole else 3,
            include_signature=True,
            max_lines_per_piece=40,
        )
        info: Any = FrameInfo(link, options)
        try:
            shown = info.lines
            variables = info.variables_in_lines
        except Exception:  # noqa: BLE001 -- it reads files that may have changed since they ran
            return _numbered(link.tb_lineno, _line(link), marked=True), []
        lines = [
            _numbered(one.lineno, one.text, marked=one.is_current) if isinstance(one, Line) else "  …"
            for one in shown
        ]
        return "\n".join(lines), list(self._iter_variables(variables))

    def _iter_variables(self, variables: Sequence[Any]) -> Iterator[str]:
        telling = [one for one in variables if not _is_scenery(one.value)]
        for one in telling[:MOST_VARIABLES]:
            name = " ".join(one.name.split())
            value = HIDDEN if is_secret(one.name, one.value) else self._glimpse(one.value)
            if "\n" in value:
                yield f"- {_code(name)} =\n\n{_fenced(value, 'text')}\n"
            else:
                yield f"- {_code(name)} = {_code(value)}"

    def _library_call(self, link: TracebackType, *, source: bool) -> str:
        code = link.tb_frame.f_code
        module = link.tb_frame.f_globals.get("__name__") or Path(code.co_filename).name
        told = f"- in a library: `{module}`, line {link.tb_lineno}, in `{code.co_name}`"
        if not source:
            return told
        around = range(max(1, link.tb_lineno - 4), link.tb_lineno + 3)
        lines = [(number, _line(link, number)) for number in around]
        shown = [_numbered(number, line, marked=number == link.tb_lineno) for number, line in lines if line]
        return f"{told}\n\n{_fenced(chr(10).join(shown), 'python')}" if shown else told

    def _said(self, error: BaseException) -> str:
        said = self._hiding("".join(traceback.format_exception_only(error)).rstrip())
        if isinstance(error, SyntaxError) and error.filename:
            said = said.replace(f'"{error.filename}"', self._place(error.filename))
        return shorten(said, LONGEST_SAID)

    def _in_short(self, error: BaseException) -> str:
        """Return an exception before the last one: what it said and where."""
        said = _code(shorten(" ".join(self._said(error).split()), LONGEST_LINE))
        own = [link for link in _iter_links(error.__traceback__) if _is_own(link)]
        if not own:
            return said
        where = self._place(_filename(own[-1]))
        return f"{said} in {where}, line {own[-1].tb_lineno}: {_code(_line(own[-1]).strip())}"

    def _place(self, filename: str) -> str:
        """Return where a piece of the user's code stands, without a path that names a machine."""
        if _CELL.search(filename):
            is_other = self.cell and filename != self.cell
            return "another cell" if is_other else "the cell that failed"  # English: a model reads it
        try:
            return f"`{Path(filename).relative_to(Path.cwd())}`"
        except (ValueError, OSError):
            return f"`{Path(filename).name}`"


def _iter_links(tb: TracebackType | None) -> Iterator[TracebackType]:
    while tb is not None:
        yield tb
        tb = tb.tb_next


def _iter_walk(tb: TracebackType | None) -> Iterator[TracebackType]:
    """Yield the calls from the user's first one on; IPython's, which ran the cell, stand before it."""
    links = list(_iter_links(tb))
    first = next((n for n, link in enumerate(links) if _is_own(link)), max(0, len(links) - 3))
    yield from links[first:]


def _without_repetition(links: Sequence[TracebackType]) -> tuple[list[TracebackType], int]:
    """Return the calls without those of a deep recursion, and how many were left out."""
    last = links[-1:]
    seen: Counter[tuple[Any, int]] = Counter()
    kept = []
    for link in links:
        seen[at := (link.tb_frame.f_code, link.tb_lineno)] += 1
        if seen[at] <= 2 or link in last:
            kept.append(link)
    return kept, len(links) - len(kept)


def _iter_related(error: BaseException) -> Iterator[tuple[str, BaseException]]:
    """Yield the exceptions that led to this one, and those it is a group of."""
    members: Sequence[BaseException] = getattr(error, "exceptions", ())
    if isinstance(error, BaseExceptionGroup):
        yield from (("it groups", member) for member in members[:MOST_LINKS])  # English: a model reads it
    seen = {id(error)}
    for _link in range(MOST_LINKS):
        relation, before = ("caused by", error.__cause__)  # English: a model reads it
        if before is None and not error.__suppress_context__:
            relation, before = ("raised while handling", error.__context__)  # English: a model reads it
        if before is None or id(before) in seen:
            return
        yield relation, before
        seen.add(id(before))
        error = before


def _filename(link: TracebackType) -> str:
    return link.tb_frame.f_code.co_filename


def _is_top(link: TracebackType) -> bool:
    """Whether the call is of a cell or module itself; IPython before 9 gives cells a name of their own."""
    return link.tb_frame.f_code.co_name.startswith(("<module>", "<cell line"))  # English: IPython's name


def _is_own(link: TracebackType) -> bool:
    """Whether the call is of the user's code: a cell, or a file that belongs to no installation."""
    filename = _filename(link)
    if filename.startswith("<"):
        return _CELL.search(filename) is not None or filename.startswith(_OWN_TEXT)
    if not Path(filename).is_absolute():
        return False  # compiled: Cython names its sources as they lay when it was built
    return _PACKAGES.search(filename) is None and not filename.startswith(_installations())


@cache
def _installations() -> tuple[str, ...]:
    paths = {sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    paths |= {*site.getsitepackages(), site.getusersitepackages(), str(Path(__file__).parents[1])}
    return tuple(path + os.sep for path in paths if path)


def _is_scenery(value: Any) -> bool:
    """Whether the source says all there is to know of it: a module, a function, a class."""
    return inspect.ismodule(value) or inspect.isroutine(value) or isinstance(value, type)


def _line(link: TracebackType, number: int | None = None) -> str:
    frame = link.tb_frame
    return linecache.getline(_filename(link), number or link.tb_lineno, frame.f_globals).rstrip("\n")


def _numbered(number: int, line: str, *, marked: bool = False) -> str:
    return f"{'→' if marked else ' '} {number:>3} | {shorten(line.rstrip(), LONGEST_LINE)}"


def _columns(line: str, characters: int) -> int:
    """Return the columns that the first characters of a line take, with blanks behind its end."""
    before = line.rstrip("\n")[:characters].replace("\t", " ")
    return width(before) + characters - len(before)


def _fenced(text: str, language: str) -> str:
    """Return the text as a code block that nothing in it can close."""
    return f"{_fence(text, 3)}{language}\n{text}\n{_fence(text, 3)}"


def _code(text: str) -> str:
    mark = _fence(text, 1)
    return (
        f"{mark}{text}{mark}" if not (text.startswith("`") or text.endswith("`")) else f"{mark} {text} {mark}"
    )


def _fence(text: str, shortest: int) -> str:
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    return "`" * max(shortest, longest + 1)


def _fit(sections: list[str]) -> str:
    """Join the sections; where they are too long together, calls in the middle are left out."""
    sections = [section for section in sections if section]
    left_out = 0
    while sum(map(len, sections)) > LONGEST and len(sections) > 4:
        del sections[len(sections) // 2]
        left_out += 1
    if left_out:
        told = f"({left_out} calls are left out here.)"  # English: a model reads it
        sections.insert(len(sections) // 2, told)
    return shorten("\n\n".join(sections), LONGEST)
