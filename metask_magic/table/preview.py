"""`--map` with `--dry-run`: what would be asked, and how much of it."""

from __future__ import annotations

from ..batch.batch import Journal, digest
from ..display.table import Table
from ..errors import MetaskError, OptionError
from ..messages.request import Request
from ..words import counted
from .requests import RowRequests, waited_for

CHARACTERS_PER_TOKEN = 4  # a rule of thumb for English


def preview(requests: RowRequests, length: int | None, journal: Journal, where: str) -> Table:
    """Return three prompts of the table, and what its rows come to. Every row is rendered, none is sent.

    Raises
    ------
    OptionError
        The rows can be read only once.
    PromptError
        The first row's prompt cannot be rendered.

    """
    if length is None:
        raise OptionError("A dry run would use the generator up.", "Make a list of it first.")
    wanted = {0, length // 2, length - 1}
    shown: list[tuple[str, str]] = []
    seen: set[bytes] = set()
    asked = alike = known = failing = characters = images = 0
    for at, request in waited_for(requests):
        if isinstance(request, MetaskError):
            failing += 1
            continue
        if at in wanted:
            shown.append((f"row {at}", _said(request)))
        key = digest(request)
        if key in seen:
            alike += 1
            continue
        seen.add(key)
        if journal.find(request) is not None:
            known += 1
            continue
        asked += 1
        characters += sum(len(message.text) for message in request.messages)
        images += sum(len(message.images) for message in request.messages)
    estimate = (
        f"about {characters // CHARACTERS_PER_TOKEN:,} tokens, estimated from {characters:,} characters"
    )
    notes = [
        f"{counted(length, 'row')}: {counted(asked, 'request')} to send",
        f"{alike:,} like another row" if alike else "",
        f"{known:,} answered before" if known else "",
        f"{failing:,} whose prompt fails" if failing else "",
        estimate + (f", without {counted(images, 'image')}" if images else ""),
    ]
    return Table(f"Not sent: {where}", (), tuple(shown), "; ".join(note for note in notes if note))


def _said(request: Request) -> str:
    """The messages as text, with who says each where there are several."""
    texts = []
    for message in request.messages:
        text = "".join([message.text, *(f"\n[{image.media_type}]" for image in message.images)])
        texts.append(text if len(request.messages) == 1 else f"{message.role}: {text}")
    return "\n\n".join(texts)
