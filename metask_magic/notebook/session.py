"""One kernel's work: from a cell's options and text to the reply that is its value."""

from __future__ import annotations

from typing import Any

from ..chat.ask import ask
from ..chat.loop import network
from ..chat.messages import JSON, Message, Request
from ..chat.reply import Reply
from ..display.front_end import choose_sink, detect
from ..errors import Interrupted, NotFoundError, PromptError
from ..settings import Metask
from .backends import Backends
from .commands import dry_run
from .options import CellOptions
from .prompt import render
from .value import CellValue


class Session:
    """Holds what outlives a cell: the connection, the model list, the embedded model."""

    def __init__(self, shell: Any, settings: Metask) -> None:
        self._shell = shell
        self._settings = settings
        self.backends = Backends(settings)
        self._value = CellValue(shell)
        self._value.register()

    def ask(self, options: CellOptions, text: str, *, by_cell_magic: bool) -> Any:
        """Ask as the options say, and return the reply, or the request of a dry run.

        Raises
        ------
        MetaskError
            What failed; the reply as far as it came is in its `reply`, in `_` and under the name of `-o`.
        Interrupted
            The user stopped the cell.

        """
        request = self._request(options, text)
        if options.dry_run:
            return dry_run(request, self.backends.base_url(request.model))
        backend = self.backends.for_model(request.model)
        sink = choose_sink(
            detect(self._shell),
            self._settings.display,
            [request.model],
            quiet=options.quiet,
            show_reasoning=self._settings.show_reasoning,
        )
        outcome = ask([(request, backend)], sink)
        reply = outcome.replies[0]
        self._value.bind(options.out, reply)
        if reply.error or (outcome.interrupted and reply.finish_reason == "interrupted"):
            self._value.keep(reply)
            raise self._failure(reply)
        self._value.mark_shown(reply, by_cell_magic=by_cell_magic)
        return reply

    def _request(self, options: CellOptions, text: str) -> Request:
        model = self.backends.check_name(options.model or self._settings.model)
        system = options.system if options.system is not None else self._settings.system
        if not options.raw:
            text, system = (render(part, self._shell.user_ns) for part in (text, system))
        if not text.strip():
            raise PromptError("The prompt is empty.", "Write it below the %%metask line.")
        messages = [Message("system", system)] if system else []
        return Request(
            model, (*messages, Message("user", text)), self._params(options), stream=options.stream
        )

    def _params(self, options: CellOptions) -> dict[str, JSON]:
        defaults: dict[str, JSON] = {
            "temperature": self._settings.temperature,
            "max_tokens": self._settings.max_tokens,
        }
        return {name: value for name, value in defaults.items() if value is not None} | dict(options.params)

    def _failure(self, reply: Reply) -> BaseException:
        if reply.error is None:
            return Interrupted(reply)
        if isinstance(reply.error, NotFoundError):
            self.backends.suggest(reply.error, reply.requested_model)
        reply.error.reply = reply
        return reply.error.with_traceback(None)  # the network thread's frames tell a user nothing

    def close(self) -> None:
        """Close connections, end the embedded model, and leave the shell as it was."""
        self._value.unregister()
        self.backends.close()
        network.stop()
