"""`--map` with `--dry-run`: what would be asked, and how much of it."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..batch.batch import Journal, digest
from ..display.table import Table
from ..errors import MetaskError, OptionError
from ..language import _, ngettext
from ..messages.request import Request
from ..words import clauses
from .requests import RowRequests, waited_for

CHARACTERS_PER_TOKEN = 4  # a rule of thumb for English


@dataclass(slots=True)
class Tally:
    """What the rows of a table come to, none of which was sent.

    `shown` has three prompts by the names of their rows; `asked` are requests to send, `characters` and
    `images` what these hold. Besides there are rows `alike` another, `known` from before, and `failing`.
    """

    shown: list[tuple[str, str]] = field(default_factory=list)
    asked: int = 0
    alike: int = 0
    known: int = 0
    failing: int = 0
    characters: int = 0
    images: int = 0

    @property
    def tokens(self) -> int:
        """An estimate of the tokens to send, of the text alone."""
        return self.characters // CHARACTERS_PER_TOKEN

    @property
    def estimate(self) -> str:
        """The same in words."""
        text = _(
            "about {tokens:,} tokens, estimated from {characters:,} characters",
            tokens=self.tokens,
            characters=self.characters,
        )
        if not self.images:
            return text
        return ngettext(
            "{text}, without {count} image", "{text}, without {count} images", self.images, text=text
        )


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
        raise OptionError(_("A dry run would use the generator up."), _("Make a list of it first."))
    tally = count_up(requests, length, journal)
    rows = ngettext("{count} row", "{count} rows", length)
    notes = [
        ngettext(
            "{rows}: {count} request to send", "{rows}: {count} requests to send", tally.asked, rows=rows
        ),
        _("{count:,} like another row", count=tally.alike) if tally.alike else "",
        _("{count:,} answered before", count=tally.known) if tally.known else "",
        _("{count:,} whose prompt fails", count=tally.failing) if tally.failing else "",
        tally.estimate,
    ]
    title = _("Not sent: {where}", where=where)
    return Table(title, (), tuple(tally.shown), clauses(filter(None, notes)))


def count_up(requests: RowRequests, length: int, journal: Journal) -> Tally:
    """Render every row. Raises `PromptError` where the first one cannot be."""
    wanted = {0, length // 2, length - 1}
    tally = Tally()
    seen: set[bytes] = set()
    for at, request in waited_for(requests):
        if isinstance(request, MetaskError):
            tally.failing += 1
            continue
        if at in wanted:
            tally.shown.append((_("row {number}", number=at), _said(request)))
        key = digest(request)
        if key in seen:
            tally.alike += 1
            continue
        seen.add(key)
        if journal.find(request) is not None:
            tally.known += 1
            continue
        tally.asked += 1
        tally.characters += sum(len(message.text) for message in request.messages)
        tally.images += sum(len(message.images) for message in request.messages)
    return tally


def _said(request: Request) -> str:
    """The messages as text, with who says each where there are several."""
    texts = []
    for message in request.messages:
        text = "".join([message.text, *(f"\n[{image.media_type}]" for image in message.images)])
        texts.append(text if len(request.messages) == 1 else f"{message.role}: {text}")
    return "\n\n".join(texts)
