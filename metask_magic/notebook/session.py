"""One kernel's work: from a cell's options and text to the reply that is its value."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..chat.ask import ask
from ..chat.loop import network
from ..chat.messages import JSON, Backend, Message, Request
from ..chat.reply import Reply
from ..display.front_end import choose_sink, detect
from ..errors import (
    Interrupted,
    LocalModelError,
    MetaskError,
    MissingKeyError,
    NotFoundError,
    OptionError,
    PromptError,
)
from ..gateway.client import Connection, GatewayClient
from ..gateway.embedded import LOCAL, EmbeddedBackend
from ..gateway.models import Catalog, Model, nearest
from ..settings import Metask
from .commands import did_you_mean, dry_run
from .options import CellOptions
from .prompt import render
from .value import CellValue

_NO_NAME = re.compile(r"""[\s"'`<>{}()=,;|\\]""")


class Session:
    """Holds what outlives a cell: the connection, the model list, the embedded model."""

    def __init__(self, shell: Any, settings: Metask) -> None:
        self._shell = shell
        self._settings = settings
        self._gateway: tuple[GatewayClient, Catalog] | None = None
        self._embedded: EmbeddedBackend | None = None
        self._value = CellValue(shell)
        self._value.register()

    # -- a cell ---------------------------------------------------------------------------------------

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
            return dry_run(request, self._settings.base_url if request.model != LOCAL else "local")
        backend = self._backend(request.model)
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
        model = self._checked_model(options.model or self._settings.model)
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

    def _checked_model(self, name: str) -> str:
        if name and not _NO_NAME.search(name):
            return name
        known = self._gateway[1].known if self._gateway else ()
        near = did_you_mean(nearest(name, (model.id for model in known)))
        raise OptionError(
            f"{name!r} cannot be the name of a model.", near or "`%metask models` lists the models."
        )

    def _failure(self, reply: Reply) -> BaseException:
        if reply.error is None:
            return Interrupted(reply)
        if isinstance(reply.error, NotFoundError):
            self._suggest(reply.error, reply.requested_model)
        reply.error.reply = reply
        return reply.error.with_traceback(None)  # the network thread's frames tell a user nothing

    def _suggest(self, error: MetaskError, name: str) -> None:
        """Put the nearest names into the remedy; a list that cannot be had must not hide the error."""
        try:
            models = self.models()
        except MetaskError:
            return
        near = did_you_mean(nearest(name, (model.id for model in models if model.id != name)))
        error.remedy = f"{near} {error.remedy}".strip()

    # -- where replies come from ----------------------------------------------------------------------

    def _backend(self, model: str) -> Backend:
        if model == LOCAL:
            return self._local()
        return self._connected()[0]

    def _connected(self) -> tuple[GatewayClient, Catalog]:
        settings = self._settings
        settings.check_transport()
        connection = Connection(
            settings.base_url, settings.find_key(), settings.timeout, settings.max_retries
        )
        if self._gateway is None or self._gateway[0].connection != connection:
            self._disconnect()
            client = GatewayClient(connection)
            self._gateway = client, Catalog(client)
        return self._gateway

    def _local(self) -> EmbeddedBackend:
        path = Path(self._settings.local_model).expanduser() if self._settings.local_model else None
        if self._embedded is None or self._embedded.path != path:
            if self._embedded is not None:
                self._embedded.terminate()
            self._embedded = EmbeddedBackend(path, timeout=self._settings.timeout)
        return self._embedded

    def models(self) -> Sequence[Model]:
        """Return the models this key may use. Raises `MetaskError`."""
        return network.run(self._connected()[1].list())

    def usable_models(self) -> tuple[Sequence[Model], str]:
        """Return the models that can be asked now, and a note: without a key, the embedded one alone."""
        try:
            return self.models(), ""
        except MissingKeyError as error:
            try:
                listed = network.run(Catalog(self._local()).list())
            except LocalModelError:
                raise error from None
            return listed, f"This is what `%%metask local` runs. {error}"

    @property
    def local_description(self) -> str:
        """What `local` is, in a sentence."""
        return self._local().description

    def _disconnect(self) -> None:
        if self._gateway is not None:
            network.run(self._gateway[0].aclose())
            self._gateway = None

    def close(self) -> None:
        """Close connections, end the embedded model, and leave the shell as it was."""
        self._value.unregister()
        if self._embedded is not None:
            self._embedded.terminate()
        self._disconnect()
        network.stop()
