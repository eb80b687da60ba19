"""The connection to a Dask cluster: the only module of the caller's side that imports `distributed`.

It is one of our own, on our own loop: the user's client is synchronous, and its calls cannot be interrupted.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from ..errors import ClusterError, OptionError, SettingError
from ..language import N_, _
from ..settings import is_loopback

ANSWER_SECONDS = 5.0
QUEUE_LENGTH = 100  # reports that wait for the caller; nobody may ever come for them
_SEALED = {"tls", "wss", "inproc", "gateway"}
INSTALL = N_('Install it: `pip install "metask-magic[dask]"`.')


@dataclass(frozen=True, slots=True)
class Address:
    """Where a cluster is: its scheduler's address, and the certificates for it.

    `allow_plain` says that a key may travel unencrypted to other machines.
    """

    scheduler: str
    security: Any
    allow_plain: bool = False

    @classmethod
    def of(cls, client: Any, *, allow_plain: bool) -> Address:
        """Return where the cluster of a client is."""
        return cls(client.scheduler.address, client.security, allow_plain)

    def check_key_may_travel(self, workers: Iterable[str] = ()) -> None:
        """Raise `SettingError` if the scheduler or one of the workers would get a key in the clear."""
        if self.allow_plain:
            return
        for address in (self.scheduler, *workers):
            if urlsplit(address).scheme not in _SEALED and not is_loopback(address):
                raise SettingError(
                    _("The key would travel unencrypted to the Dask cluster ({address}).", address=address),
                    _(
                        "Let the cluster use TLS (`Client(…, security=…)`), set METASK_API_KEY on the "
                        "workers alone, or allow it with `%config Metask.allow_http = True`."
                    ),
                )


def find_client(engine: Any) -> Any:
    """Return the client the user named; of None, the one that was made last.

    Raises
    ------
    OptionError
        `engine` is no client that can be used here, or there is none.

    """
    try:
        import distributed
    except ImportError:
        raise OptionError(_("`dask.distributed` is not installed."), _(INSTALL)) from None
    if engine is None:
        try:
            engine = distributed.default_client()
        except ValueError:
            raise OptionError(
                _("A Dask DataFrame is asked about by a cluster, and there is no client of one."),
                _("Make one first: `from dask.distributed import Client; client = Client()`."),
            ) from None
    if not isinstance(engine, distributed.Client):
        raise OptionError(
            _("engine is a {kind}, and not a client of `dask.distributed`.", kind=type(engine).__name__),
            _("Make one: `from dask.distributed import Client; client = Client()`."),
        )
    if engine.asynchronous:
        raise OptionError(
            _("engine is an asynchronous client, whose cluster may need the loop that waits here."),
            _("Make one without `asynchronous=True`."),
        )
    if engine.status != "running":
        raise OptionError(_("engine is a client that was closed."), _("Make a new one."))
    return engine


class Connection:
    """A client of a cluster, on our own loop, with a queue that its workers put reports into."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._client: Any = None
        self._queue: Any = None

    @property
    def scheduler(self) -> str:
        """The scheduler's address."""
        return self._address.scheduler

    async def open(self, queue: str) -> None:
        """Connect, and make a queue of this name. Raises `ClusterError` where nobody answers."""
        from distributed import Client, Queue

        try:
            self._client = await Client(
                self.scheduler,
                security=self._address.security,
                asynchronous=True,
                set_as_default=False,
                timeout=ANSWER_SECONDS,
            )
        except OSError:
            raise ClusterError(
                _("The Dask cluster at {address} does not answer.", address=self.scheduler),
                _("Look whether it still runs."),
            ) from None
        self._queue = await Queue(queue, client=self._client, maxsize=QUEUE_LENGTH)

    async def workers(self) -> list[str]:
        """Return the addresses of the workers there are."""
        return [*await self._client.nthreads()]

    def check_key_may_travel(self, workers: Iterable[str]) -> None:
        """Raise `SettingError` if the scheduler or one of the workers would get a key in the clear."""
        self._address.check_key_may_travel(workers)

    async def run(self, function: Callable[..., Any], *args: Any, workers: Iterable[str]) -> dict[str, Any]:
        """Call a function in workers, beside their tasks. Return what it returned or raised, by worker.

        One that does not answer has an `OSError`.
        """
        asked = [*workers]
        told = await asyncio.gather(*(self._run(function, args, worker) for worker in asked))
        return dict(zip(asked, told, strict=True))

    async def _run(self, function: Callable[..., Any], args: tuple[Any, ...], worker: str) -> Any:
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                told = await self._client.run(function, *args, workers=[worker], on_error="return")
        except OSError as error:
            return error
        return told.get(worker, OSError("the worker is gone"))  # English: nobody reads it

    def submit(self, function: Callable[..., None], args: tuple[Any, ...], *, key: str, worker: str) -> Any:
        """Have a task run, by `worker` if that can be ("" for any). Return its future."""
        wanted = [worker] if worker else None
        return self._client.submit(
            function, *args, key=key, pure=False, workers=wanted, allow_other_workers=wanted is not None
        )

    async def failure(self, future: Any) -> BaseException:
        """Return why a task ended without a result."""
        error: BaseException | None = None
        if future.status == "error":
            error = await future.exception()
        return error or ClusterError(_("the task was {status}", status=future.status))

    async def claim(self, claim: str) -> None:
        """Say that a task has begun, so that it will not."""
        from distributed import Event

        await Event(claim, client=self._client).set()

    async def clear(self, claims: Iterable[str]) -> None:
        """Take events off the scheduler which say that a task began."""
        from distributed import Event

        for claim in claims:
            await Event(claim, client=self._client).clear()

    async def get(self) -> list[bytes]:
        """Return what is in the queue, without waiting: a wait that ends is an error in a scheduler's log."""
        found: list[bytes] = await self._queue.get(batch=True)
        return found

    async def close(self, lost: int) -> None:
        """Leave the cluster, with nothing left behind; `lost` tasks may not have closed the queue."""
        # Dask counts those that hold the queue, and one that was awaited twice. Once too often does no harm.
        for _time in range(2 + lost if self._queue is not None else 0):
            self._queue.close()
        if self._client is not None:
            await self._client.close()
