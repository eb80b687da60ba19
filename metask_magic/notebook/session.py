"""One kernel's work: from a cell's options and text to the reply that is its value."""

from __future__ import annotations

import atexit
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any
from weakref import WeakSet

from ..answering.backends import Backends
from ..answering.choice import choose_models
from ..answering.shelf import Shelf, samples
from ..asking import coroutines
from ..asking.ask import Asking, Outcome, ask
from ..asking.background import BackgroundReply, end_all
from ..asking.errands import Errands
from ..asking.loop import network
from ..chat.code import find_code
from ..chat.conversation import CellKey
from ..chat.replies import Replies, distinct
from ..chat.reply import Reply
from ..display.extras import Extras
from ..display.front_end import FrontEnd, choose_sink, detect
from ..display.pages import attended
from ..display.place import Place
from ..errors import Interrupted, MetaskError
from ..gateway.embedded import LOCAL
from ..gateway.recorded import CONDUCTS, RecordedBackend
from ..language import N_, _
from ..mcp.kept import Kept
from ..mcp.registry import Servers
from ..mcp.toolbox import Toolbox
from ..messages.events import Backend
from ..messages.record import Sink
from ..messages.request import Message, Request
from ..prompt.draft import Draft
from ..prompt.template import render
from ..schemas.structured import StructuredBackend
from ..scripts.export import Code
from ..settings import Metask
from ..table.asking import Manner
from ..table.mapper import Mapper
from ..table.requests import TablePrompt
from ..tools.rounds import ToolBackend
from ..usage.ledger import Ledger, MeteredBackend
from . import export, map_cell, together
from .cell import read_cell
from .chats import Chats, cell_key
from .commands import dry_run
from .confirm import Confirmation
from .explain import SYSTEM as EXPLAIN_SYSTEM
from .explain import describe, last_exception
from .names import look_up
from .next_cell import NextCell
from .options import CellOptions
from .value import CellValue

Asked = Sequence[tuple[Request, Backend]]

NOT_PUT = N_(
    "Other cells may be in work by now, so no code was put into the next: `code_blocks` of the reply has it."
)

NO_TURN = N_("This reply is no turn of the conversation {name}: nothing can be answered to it.")


class Session:
    """Holds what outlives a cell: who answers, the conversations, the ledger."""

    def __init__(self, shell: Any, settings: Metask) -> None:
        self._shell = shell
        self._settings = settings
        self.backends = Backends(settings)
        self.ledger = Ledger()
        self.chats = Chats()
        self.recordings = Shelf(settings)
        self.servers = Servers(settings, self.backends.hide)
        self.mapper = Mapper(settings, self.backends, self.ledger, self.recordings, shell)
        self._next_cell = NextCell(shell)
        self._value = CellValue(shell)
        self._value.register()
        export.register(shell)
        self._last_reply: Reply | None = None
        self._in_background: WeakSet[BackgroundReply] = WeakSet()
        atexit.register(self._end_background)  # a record stays where a view would be dead

    def ask(self, options: CellOptions, text: str, *, by_cell_magic: bool) -> Any:
        """Ask as the options say, and return the reply, the replies, or the request of a dry run.

        Raises
        ------
        MetaskError
            What failed; the reply as far as it came is in its `reply`, in `_` and under the name of `-o`.
            Of several models, only where all failed.
        Interrupted
            The user stopped the cell.

        """
        if options.map is not None:
            return self._map(options, text)
        models = self._models(options)
        together.check_models(options, models)
        cell = cell_key(self._shell)
        draft, requests = self._read(options, text, models, cell)
        for request in requests:
            self.backends.check(request)
        if options.dry_run:
            return dry_run(requests, self.backends.destination(requests[0].model))
        errands = Errands()
        numbers = samples(models, options.sample)
        asked = [
            (request, self._around(replace(options, sample=number), request.model, draft, errands))
            for request, number in zip(requests, numbers, strict=True)
        ]
        value: Any
        if options.background:
            value = self._ask_in_background(options, asked, errands)
        else:
            value = self._ask(options, asked, errands, partial(self._remember, options.chat, draft, cell))
        self._value.mark_shown(value, by_cell_magic=by_cell_magic)
        return value

    def explain(self, options: CellOptions, question: str) -> Any:
        """Ask about the last exception, as `ask` does. Raises `PromptError` where there is none."""
        error = last_exception()
        system = options.system
        if system is None:
            system = f"{EXPLAIN_SYSTEM}\n\n{self._settings.system}".strip()
        text = describe(error, error.__traceback__, question, self.backends.hide)
        try:
            return self.ask(replace(options, raw=True, system=system), text, by_cell_magic=False)
        except (MetaskError, Interrupted) as failure:
            failure.explaining = error  # so that it can be explained at the next try
            raise

    def export(self, line: str) -> Code | str:
        """Return the script that `%metask export` asks for, or what was written. Raises `MetaskError`."""
        return export.export(line, self._shell.user_ns, self._last_reply)

    def close(self) -> None:
        """End the replies in the background, close connections, and leave the shell as it was."""
        atexit.unregister(self._end_background)
        self._end_background()
        self._value.unregister()
        export.unregister(self._shell)
        self.backends.close()
        self.servers.close()
        coroutines.close()
        network.stop()

    def _map(self, options: CellOptions, text: str) -> Any:
        """Ask about each row of a table, and return the table with the answers, or a dry run's preview."""
        namespace, name = self._shell.user_ns, str(options.map)
        models = self.mapper.choose_models(options.models or (self._settings.model,))
        toolbox = self.toolbox(options, models)
        asked = map_cell.read_cell(options, text, models[0], self._settings, namespace, toolbox)
        if options.is_trial or len(models) > 1:
            return self._try(options, asked, models)
        engine = None if options.engine is None else look_up(options.engine, namespace, N_("engine"))
        rows, client = self.mapper.open(look_up(name, namespace, N_("table")), name, engine)
        if options.limit is not None:
            rows = rows.head(options.limit)
        manner = Manner(quiet=options.quiet, fresh=options.fresh, sample=options.sample, client=client)
        if options.dry_run:
            return self.mapper.preview(rows, asked, name, manner)
        outcome = self.mapper.run(rows, asked, name, manner, kept=_("in _"))
        self._value.bind(options.out, outcome.table)
        if outcome.failure is not None:
            self._value.keep(outcome.table)
            raise outcome.failure
        return outcome.table

    def _try(self, options: CellOptions, asked: TablePrompt, models: Sequence[str]) -> Any:
        """Try models on the rows of a table, and return the trial, or a dry run's preview."""
        from . import trial_cell

        run = trial_cell.read_cell(options, asked, models, self.mapper, self._shell.user_ns)
        if options.dry_run:
            return run.preview()
        outcome = run.run(_("in _"))
        self._value.bind(options.out, outcome.trial)
        if outcome.failure is not None:
            self._value.keep(outcome.trial)
            raise outcome.failure
        return outcome.trial

    # -- what is asked --------------------------------------------------------------------------------

    def _read(
        self, options: CellOptions, text: str, models: Sequence[str], cell: CellKey
    ) -> tuple[Draft, list[Request]]:
        """Return what the cell says. What servers have is as it was recorded, where all of it is replayed."""
        for live in (False, True):
            toolbox = self.toolbox(options, models, live=live)
            draft = read_cell(options, text, self._settings, self._shell.user_ns, toolbox)
            together.check_draft(options, draft)
            requests = self._requests(options, draft, models, cell)
            if not toolbox.replayed or self.recordings.has_all(requests, samples(models, options.sample)):
                break
        return draft, requests

    def toolbox(self, options: CellOptions, models: Sequence[str], *, live: bool = False) -> Toolbox:
        """Return what a cell uses of the servers."""
        conduct = self.recordings.conduct(fresh=options.fresh, embedded={*models} == {LOCAL})
        off = conduct == CONDUCTS["off"]
        consent = None if options.yes else Confirmation().of_server
        return Toolbox(
            self.servers,
            Kept() if off else Kept(self.recordings.store, conduct),
            consent,
            always_asks=options.confirm,
            live=live and conduct.asks,
        )

    def _requests(
        self, options: CellOptions, draft: Draft, models: Sequence[str], cell: CellKey
    ) -> list[Request]:
        history: Sequence[Message] = ()
        system = draft.system
        if options.chat is not None:
            history, system = self.chats.context(options.chat, cell, draft.system)
        if system is None:
            system = self._default_system(options)
        return [draft.to_request(model, history, system) for model in models]

    def _models(self, options: CellOptions) -> list[str]:
        settings = self._settings
        names = options.models or (settings.model,)
        chosen = choose_models(names, settings.aliases, self.backends.models)
        return [self.backends.check_name(model) for model in chosen]

    def _default_system(self, options: CellOptions) -> str:
        said = self._settings.system
        return said if options.raw else render(said, self._shell.user_ns)

    def _around(self, options: CellOptions, model: str, draft: Draft, errands: Errands) -> Backend:
        """Return who answers for a model, with what stands between: recordings, tools, schema."""
        settings = self._settings
        backend, recorded = self._answering(options, model, errands)
        if draft.tools:
            confirm = Confirmation() if draft.confirm else None
            backend = ToolBackend(
                backend, draft.tools, errands, settings.max_tool_rounds, confirm, options.sample
            )
        if draft.schema is not None:
            backend = StructuredBackend(
                backend, draft.schema, settings.max_repairs, errands, self.backends.refused, recorded
            )
        return backend

    def _answering(
        self, options: CellOptions, model: str, errands: Errands
    ) -> tuple[Backend, Callable[[Request], bool]]:
        """Return the model itself, or recordings around it, and what tells whether an answer is recorded."""
        conduct = self.recordings.conduct(fresh=options.fresh, embedded=model == LOCAL)
        if conduct == CONDUCTS["off"]:
            return self._metered(self.backends.for_model(model)), lambda request: False

        async def asked() -> Backend:
            return self._metered(await errands.call(partial(self.backends.for_model, model)))

        recorded = RecordedBackend(
            asked, self.recordings.store, conduct, sample=options.sample, hide=self.backends.hide
        )
        return recorded, recorded.has

    def _metered(self, backend: Backend) -> Backend:
        return MeteredBackend(backend, self.ledger, lambda: self._settings.budget_tokens)

    # -- what comes of it -----------------------------------------------------------------------------

    def _ask(
        self, options: CellOptions, asked: Asked, errands: Errands, remember: Callable[[Reply], None]
    ) -> Reply | Replies:
        sink = self._sink(options, [request for request, _ in asked])
        with attended(self._shell) as attend:
            outcome = ask(asked, sink, errands, attend=attend)
        value = self._to_value(outcome)
        if isinstance(value, Reply):
            remember(value)
        self._value.bind(options.out, value)
        failure = self._failure(outcome, value)
        if failure is not None:
            self._value.keep(value)
            raise failure
        if isinstance(value, Reply) and value.format == "code" and (block := find_code(value.text)):
            self._next_cell.put(block.code, sink)
        return value

    def _remember(self, chat: str | None, draft: Draft, cell: CellKey, reply: Reply) -> None:
        if chat is None:
            return
        taken = self.chats.remember(chat, cell, draft.user, reply, draft.system)
        if not taken and reply.error is None:
            print(_(NO_TURN, name=chat), file=sys.stderr)

    def _ask_in_background(self, options: CellOptions, asked: Asked, errands: Errands) -> BackgroundReply:
        front_end = detect(self._shell)
        # In a terminal it would come between what is typed.
        quiet = options.quiet or front_end is FrontEnd.TERMINAL
        sink = self._sink(replace(options, quiet=quiet), [request for request, _ in asked])
        aside = Place() if front_end is FrontEnd.NOTEBOOK and not quiet else None
        pending = BackgroundReply(Asking(asked, sink, errands), partial(self._conclude, options.out, aside))
        self._in_background.add(pending)
        self._value.bind(options.out, pending)
        if front_end is FrontEnd.NOBODY:
            pending.wait()  # what comes after the cell's end would not be saved
        return pending

    def _end_background(self) -> None:
        end_all(self._in_background)

    def _conclude(self, name: str | None, aside: Place | None, outcome: Outcome) -> Reply | Replies:
        """Return what came in the background, or raise what failed; say `aside` what no record can."""
        value = self._to_value(outcome)
        failure = self._failure(outcome, value)
        if isinstance(failure, MetaskError):
            failure.kept_in = f"{name}.reply" if name else _("the `reply` of the cell's value")
            if aside is not None:
                aside.say("\n".join(failure.lines()))
        if failure is not None:
            raise failure
        if (
            aside is not None
            and isinstance(value, Reply)
            and value.format == "code"
            and find_code(value.text)
        ):
            aside.say(_(NOT_PUT))
        return value

    def _sink(self, options: CellOptions, requests: Sequence[Request]) -> Sink:
        return choose_sink(
            detect(self._shell),
            self._settings.display,
            distinct([request.model for request in requests]),
            quiet=options.quiet,
            show_reasoning=self._settings.show_reasoning,
            format=requests[0].format,
            background=options.background,
            extras=Extras(self._settings.byline, self._settings.keep_reasoning),
        )

    def _failure(self, outcome: Outcome, value: Reply | Replies) -> BaseException | None:
        """Return what the cell has to raise: an interrupt, or a failure that leaves nothing to return."""
        replies = outcome.replies
        if outcome.interrupted and any(reply.finish_reason == "interrupted" for reply in replies):
            return Interrupted(value)
        errors = [reply.error for reply in replies if reply.error]
        if len(errors) < len(replies):
            return None
        errors[0].reply = value
        return errors[0].with_traceback(None)  # the network thread's frames tell a user nothing

    def _to_value(self, outcome: Outcome) -> Reply | Replies:
        replies = [self.backends.locate(reply) for reply in outcome.replies]
        self._last_reply = replies[0]
        return replies[0] if len(replies) == 1 else Replies(replies)
