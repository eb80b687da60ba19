"""Who answers: the gateway's client and its list of models, or the embedded model."""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ..asking.loop import network
from ..chat.reply import Reply
from ..errors import LocalModelError, MissingKeyError, OptionError, PromptError, SettingError
from ..gateway.bulk import BulkBackend
from ..gateway.client import GatewayClient
from ..gateway.embedded import LOCAL, EmbeddedBackend
from ..gateway.models import Catalog, Model
from ..gateway.official import Connection
from ..language import _
from ..messages.events import Backend
from ..messages.request import Request
from ..schemas.structured import Refused
from ..scripts.export import without
from ..settings import Metask
from ..words import did_you_mean, nearest, plain, sentences
from .suggestion import SuggestingBackend

# Letters and digits of any script, and the marks that gateways' names have, those of groups and paths too.
_NAME = re.compile(r"(?=.*[^\W_])[\w@~\[][\w./:@+~\[\]#-]{0,199}")


class Backends:
    """Holds one connection to the gateway and one embedded model, as the settings have them now."""

    def __init__(self, settings: Metask) -> None:
        self._settings = settings
        self._lock = threading.RLock()  # replies in the background ask for the list of models too
        self._gateway: tuple[GatewayClient, Catalog] | None = None
        self._bulk: BulkBackend | None = None
        self._embedded: EmbeddedBackend | None = None
        self.refused: Refused = set()
        """Response formats that the gateway of now has refused."""

    def for_model(self, model: str) -> Backend:
        """Return what answers for a model. Raises `SettingError` where nothing can be sent."""
        return self._local() if model == LOCAL else SuggestingBackend(*self._connected())

    def for_rows(self, model: str) -> Backend:
        """Return what answers for a model many times at once. Raises as `for_model` does."""
        if model == LOCAL:
            return self._local()
        client, catalog = self._connected()
        with self._lock:
            if self._bulk is None:
                self._bulk = BulkBackend(client.connection, client.quirks)
            return SuggestingBackend(self._bulk, catalog)

    def destination(self, model: str) -> str:
        """Return where a request for a model goes, in words for a person."""
        if model == LOCAL:
            return _("to the embedded model")
        return f"POST {self._settings.base_url}/chat/completions"

    def check(self, request: Request) -> None:
        """Refuse what the embedded model would fail at or leave out without a word.

        Raises
        ------
        OptionError
            It has tools.
        PromptError
            It has images.

        """
        if request.model != LOCAL:
            return
        if request.tools:
            raise OptionError(
                _("The embedded model cannot call tools."),
                _("Leave -T out, or ask a model of the gateway."),
            )
        if request.messages[-1].images:
            raise PromptError(
                _("The embedded model cannot see images."),
                _("Leave them out, or ask a model of the gateway."),
            )
        if any(message.images for message in request.messages):
            raise PromptError(
                _("The embedded model cannot see the images of this conversation."),
                _("`%metask chats trim NAME --images` takes them out; or ask a model of the gateway."),
            )

    def locate(self, reply: Reply) -> Reply:
        """Return the reply with what its script needs; a key that got into the prompt is taken out."""
        if reply.request is None or reply.requested_model == LOCAL:
            return reply
        if self._gateway is None:  # it was replayed
            return replace(reply, base_url=self._settings.base_url)
        client = self._gateway[0]
        connection = client.connection
        request = without(client.as_sent(reply.request), connection.key.hide)
        return replace(reply, request=request, base_url=connection.base_url)

    def hide(self, text: str) -> str:
        """Take the key that would be sent out of a text."""
        try:
            return self._settings.find_key().hide(text)
        except SettingError:
            return text  # there is no key, or none that can be sent

    def check_name(self, name: str) -> str:
        """Return the name, if it can be a model's.

        Raises
        ------
        OptionError
            It cannot; where the list of models is known, with the nearest name.

        """
        if _NAME.fullmatch(name):
            return name
        near = did_you_mean(nearest(name, self.known_names()))
        raise OptionError(
            _("{name!r} cannot be the name of a model.", name=plain(name)),
            near or _("`%metask models` lists the models."),
        )

    def known_names(self) -> tuple[str, ...]:
        """Return the model names that are known without asking."""
        return tuple(model.id for model in self._gateway[1].known) if self._gateway else ()

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
            return listed, sentences(_("This is what `%%metask local` runs."), str(error))

    @property
    def local_description(self) -> str:
        """What `local` is, in a sentence."""
        return self._local().description

    def close(self) -> None:
        """Close connections and end the embedded model."""
        if self._embedded is not None:
            self._embedded.terminate()
        if self._gateway is not None:
            network.run(self._gateway[0].aclose())
            self._gateway = None
        self._close_bulk()

    def _connected(self) -> tuple[GatewayClient, Catalog]:
        settings = self._settings
        settings.check_transport()
        connection = Connection(
            settings.base_url, settings.find_key(), settings.timeout, settings.max_retries
        )
        with self._lock:
            if self._gateway is None or self._gateway[0].connection != connection:
                if self._gateway is not None:
                    network.submit(self._gateway[0].retire())
                self._close_bulk()
                self.refused.clear()
                client = GatewayClient(connection)
                self._gateway = client, Catalog(client)
            return self._gateway

    def _close_bulk(self) -> None:
        if self._bulk is not None:
            network.submit(self._bulk.aclose())
            self._bulk = None

    def _local(self) -> EmbeddedBackend:
        path = Path(self._settings.local_model).expanduser() if self._settings.local_model else None
        if self._embedded is None or self._embedded.path != path:
            if self._embedded is not None:
                self._embedded.terminate()
            self._embedded = EmbeddedBackend(path, timeout=self._settings.timeout)
        return self._embedded
