"""How far the rows of a table are, while they are asked about: a bar, and a line that stays."""

from __future__ import annotations

import sys
from typing import Any, Protocol

from ..batch.batch import Progress
from ..display.front_end import FrontEnd
from ..language import _, ngettext, pgettext
from ..words import listed

SECONDS_BETWEEN = 0.2


class Bar(Protocol):
    """Where the progress is shown: `show` as often as it likes to be called, `close` once."""

    def show(self, progress: Progress) -> None: ...

    def close(self, summary: str) -> None: ...


def choose_bar(front_end: FrontEnd, display: str, total: int | None, *, quiet: bool) -> Bar:
    """Return the bar for whoever is looking: a widget, a line of a terminal, or the last line alone.

    `total` is the number of rows, if it is known.
    """
    if quiet:
        return _NoBar()
    if display == "text" or (display == "auto" and front_end is FrontEnd.TERMINAL):
        return _TerminalBar(total)
    if display == "widget" or (display == "auto" and front_end is FrontEnd.NOTEBOOK):
        return _WidgetBar(total)
    return _LastLine()


class _NoBar:
    def show(self, progress: Progress) -> None:
        pass

    def close(self, summary: str) -> None:
        pass


class _LastLine:
    """Nothing before the end: whatever was shown would be saved, once for each time."""

    def show(self, progress: Progress) -> None:
        pass

    def close(self, summary: str) -> None:
        from IPython.display import publish_display_data

        publish_display_data({"text/plain": summary})


class _TerminalBar:
    def __init__(self, total: int | None) -> None:
        from tqdm.std import tqdm

        self._bar: Any = _new_bar(tqdm, total, dynamic_ncols=True)

    def show(self, progress: Progress) -> None:
        _advance(self._bar, progress)

    def close(self, summary: str) -> None:
        self._bar.close()
        print(summary, file=sys.stderr)


class _WidgetBar:
    """A widget that gives way to a line of text: a saved notebook would show a broken one."""

    def __init__(self, total: int | None) -> None:
        from IPython.display import display
        from tqdm.notebook import tqdm

        self._bar: Any = _new_bar(tqdm, total, display=False)
        self._handle: Any = display(self._bar.container, display_id=True)

    def show(self, progress: Progress) -> None:
        _advance(self._bar, progress)

    def close(self, summary: str) -> None:
        self._handle.update({"text/plain": summary}, raw=True)
        self._bar.leave = False
        self._bar.close()
        parts = (*self._bar.container.children, self._bar.container)
        for widget in [each for part in parts for each in (part.layout, getattr(part, "style", None), part)]:
            if widget is not None:
                widget.close()


def _new_bar(kind: Any, total: int | None, **options: Any) -> Any:
    # Every change may be shown: else a thread of tqdm's own would, from where no cell is running.
    unit = pgettext("unit of a progress bar", "row")
    return kind(total=total, unit=unit, miniters=1, mininterval=SECONDS_BETWEEN, **options)


def _advance(bar: Any, progress: Progress) -> None:
    said = [progress.hindrance] if progress.hindrance else []
    if progress.failed:
        said.append(_("{count:,} failed", count=progress.failed))
    if progress.journalled:
        said.append(_("{count:,} known", count=progress.journalled))
    if progress.tokens is not None:
        said.append(ngettext("{count} token", "{count} tokens", progress.tokens))
    before, moved = bar.postfix, progress.done + progress.failed - bar.n
    bar.set_postfix_str(listed(said), refresh=False)
    bar.update(moved)
    if not moved and bar.postfix != before:  # else it is not drawn before a row is done
        bar.refresh()
