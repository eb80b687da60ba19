"""Who asks about a table's rows, and where the answers are kept, as the settings have it."""

from __future__ import annotations

import pickle
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..answering.backends import Backends
from ..answering.shelf import Shelf
from ..asking.errands import AtOnce
from ..asking.loop import network
from ..batch.asker import Asker
from ..batch.engine import Engine
from ..batch.gate import Gate
from ..errors import MetaskError, MissingKeyError, SchemaError
from ..gateway.embedded import LOCAL
from ..gateway.recorded import Conduct, RecordedBackend
from ..language import _, current
from ..messages.events import Backend
from ..schemas.schema import Schema
from ..schemas.structured import StructuredBackend
from ..settings import Metask
from ..usage.ledger import Ledger, MeteredBackend, Slices
from ..words import plain
from .journal import RowJournal
from .requests import TablePrompt

if TYPE_CHECKING:
    from ..cluster.messages import Briefing

WORKERS_SETTINGS = ("base_url", "timeout", "max_retries", "max_repairs", "local_model", "allow_http")


@dataclass(frozen=True, slots=True)
class Manner:
    """How the rows of a table are asked about.

    Attributes
    ----------
    quiet
        Show no progress.
    again
        Ask only about rows with an error from before.
    fresh
        Ask about rows that were answered before too.
    sample
        Which of several answers to the same prompt is wanted, from 1; of a trial, how many.
    max_concurrency, requests_per_minute
        Where they are not the settings'.
    client
        Of a `dask.distributed` cluster, whose workers ask; None where this process does.

    """

    quiet: bool = False
    again: bool = False
    fresh: bool = False
    sample: int = 1
    max_concurrency: int | None = None
    requests_per_minute: float | None = None
    client: Any = None


async def _tune(gate: Gate, places: int, per_minute: float | None) -> None:
    gate.tune(places, per_minute)


async def _nobody() -> Backend:
    raise MetaskError(_("Nothing may be asked."))


class RowAsking:
    """Makes engines and journals. What was learnt of a gateway's limits stays while the settings do."""

    def __init__(self, settings: Metask, backends: Backends, ledger: Ledger, shelf: Shelf) -> None:
        self._settings = settings
        self._backends = backends
        self._ledger = ledger
        self._shelf = shelf
        self._journals: dict[Path, RowJournal] = {}
        self._gates: dict[tuple[str, str], Gate] = {}

    def journal(self, asked: TablePrompt, manner: Manner) -> RowJournal:
        """Return what was answered before, and where answers are put. Raises `RecordingError`."""
        store = self._shelf.store
        journal = self._journals.setdefault(store.path, RowJournal(store, self._backends.hide))
        return journal.conducted(
            self._conduct(asked, manner), fresh=manner.fresh, again=manner.again, sample=manner.sample
        )

    def engine(self, asked: TablePrompt, manner: Manner) -> Engine:
        """Return who asks. Raises `MetaskError` where nothing can be sent."""
        conduct = self._conduct(asked, manner)
        concurrency, per_minute = self._limits(manner)
        if manner.client is not None and conduct.asks:
            return self._cluster(asked, manner.client, concurrency, per_minute)
        key = self._settings.base_url, asked.model
        gate = self._gates.setdefault(key, Gate(concurrency, per_minute))
        return Asker(self._around(asked, conduct, manner), gate, self._settings.max_retries)

    def _conduct(self, asked: TablePrompt, manner: Manner) -> Conduct:
        return self._shelf.conduct_of_rows(fresh=manner.fresh, embedded=asked.model == LOCAL)

    def _limits(self, manner: Manner) -> tuple[int, float | None]:
        settings = self._settings
        return (
            manner.max_concurrency or settings.max_concurrency,
            manner.requests_per_minute or settings.requests_per_minute,
        )

    def share(self, models: Sequence[str], manner: Manner) -> None:
        """Share out among these models, each of which has a gate of its own, what all rows may have at once.

        Each may have one request under way, however many models there are.
        """
        concurrency, per_minute = self._limits(manner)
        for at, model in enumerate(models):
            places = max(1, (concurrency + len(models) - 1 - at) // len(models))
            pace = None if per_minute is None else per_minute / len(models)
            gate = self._gates.get((self._settings.base_url, model))
            if gate is not None:
                network.run(_tune(gate, places, pace))

    def most_models(self, manner: Manner) -> int:
        """Return how many models may be asked side by side; a cluster asks one after another."""
        return 1 if manner.client is not None else self._limits(manner)[0]

    # -- in this process ------------------------------------------------------------------------------

    def _around(self, asked: TablePrompt, conduct: Conduct, manner: Manner) -> Backend:
        backend = self._answering(asked.model, conduct, manner.sample)
        if asked.schema is None:
            return backend
        repairs = self._settings.max_repairs
        return StructuredBackend(backend, asked.schema, repairs, AtOnce(), self._backends.refused)

    def _answering(self, model: str, conduct: Conduct, sample: int) -> Backend:
        """Return the model itself; where nothing may be asked, what tells which recording is missing."""
        if not conduct.asks:
            return RecordedBackend(_nobody, self._shelf.store, conduct, sample=sample)
        return MeteredBackend(
            self._backends.for_rows(model), self._ledger, lambda: self._settings.budget_tokens
        )

    # -- in a cluster ---------------------------------------------------------------------------------

    def _cluster(self, asked: TablePrompt, client: Any, concurrency: int, per_minute: float | None) -> Engine:
        from ..cluster.connection import Address, Connection
        from ..cluster.engine import ClusterEngine
        from ..cluster.sharing import Sharing

        briefing = self._brief(asked)
        address = Address.of(client, allow_plain=self._settings.allow_http)
        if briefing.key is not None:
            address.check_key_may_travel()
        return ClusterEngine(Connection(address), briefing, Sharing(concurrency, per_minute), self._enter)

    def _brief(self, asked: TablePrompt) -> Briefing:
        from ..cluster.messages import Briefing, TravellingKey

        settings = self._settings
        key = None
        if asked.model != LOCAL:
            settings.check_transport()
            try:
                key = TravellingKey(settings.find_key())
            except MissingKeyError:  # the workers may have one of their own
                key = None
        return Briefing(
            run=secrets.token_hex(8),
            version=version("metask-magic"),
            model=asked.model,
            settings={name: getattr(settings, name) for name in WORKERS_SETTINGS},
            key=key,
            schema=None if asked.schema is None else _pickled(asked.schema),
            language=current(),
        )

    def _enter(self, used: Slices) -> None:
        self._ledger.merge(used)
        self._ledger.check(self._settings.budget_tokens)


def _pickled(schema: Schema) -> bytes:
    """Return a schema as the workers can read it, also where its class is the notebook's own."""
    import cloudpickle

    try:
        pickled: bytes = cloudpickle.dumps(schema)
    except (pickle.PicklingError, TypeError, AttributeError) as error:
        raise SchemaError(
            _(
                "The schema {name} cannot be sent to the workers ({why}).",
                name=schema.name,
                why=plain(error),
            ),
            _("Keep what cannot be pickled out of it, or define it in a module that the workers have too."),
        ) from None
    return pickled
