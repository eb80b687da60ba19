"""A gateway under load: it limits rate and number, fails now and then, and cuts replies off."""

from __future__ import annotations

import asyncio
import math
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from random import Random

from .answers import CUT, RESET, Answer, Gate, Part, Streamed
from .pages import rate_limited, server_error
from .received import Received
from .script import Chooser, echo


class Pause(Gate):
    """A place in an answer where the server waits for so many seconds."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._seconds = seconds

    async def passed(self) -> None:
        self.reached.set()
        await asyncio.sleep(self._seconds)


class Trouble:
    """Chooses answers for `GatewayServer.answer_with`.

    At most `requests_per_second` are answered, after the first `burst` of them, and at most `places` at
    once, each of which takes `seconds`; the others get a 429, for the rate with a `Retry-After` in whole
    seconds. Of what is let through, the shares `failing`, `cut` and `reset` fail with a 500, break off in
    the middle and are torn down before a byte; with `passing` only what comes for the first time. Which
    ones depends on `seed`, the text and how often it was let through alone: the order in which requests
    come changes nothing.
    """

    def __init__(
        self,
        requests_per_second: float = math.inf,
        *,
        burst: int = 100,
        places: int | None = None,
        seconds: float = 0.0,
        failing: float = 0.0,
        cut: float = 0.0,
        reset: float = 0.0,
        passing: bool = False,
        seed: int = 0,
        otherwise: Chooser = echo,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.given: Counter[str] = Counter()
        """How many answers of each kind were given: `ok`, `limited`, `failed`, `cut`, `reset`."""
        self.let_through: Counter[str] = Counter()
        """How often each text was."""
        self.troubled: Counter[str] = Counter()
        """How often each text had another answer than the reply."""
        self._rate = requests_per_second
        self._burst = float(burst)
        self._places = math.inf if places is None else places
        self._under_way: set[Received] = set()
        self._seconds = seconds
        self._shares = {"failed": failing, "cut": cut, "reset": reset}
        self._passing = passing
        self._seed = seed
        self._otherwise = otherwise
        self._clock = clock
        self._lock = threading.Lock()
        self._tokens, self._filled_at = self._burst, clock()

    def __call__(self, received: Received) -> Answer:
        with self._lock:
            kind, answer = self._choose(received, received.last_user_text)
            self.given[kind] += 1
            self.troubled[received.last_user_text] += kind != "ok"
        return answer

    def _choose(self, received: Received, text: str) -> tuple[str, Answer]:
        if not self._take_place(received):
            return "limited", rate_limited()
        if (wait := self._wait()) > 0:
            self._under_way.discard(received)
            return "limited", rate_limited(math.ceil(wait))
        self.let_through[text] += 1
        kind = self._draw(text)
        if kind == "failed":
            return kind, server_error()
        return kind, self._reply(kind, received, text)

    def _draw(self, text: str) -> str:
        times = self.let_through[text]
        if self._passing and times > 1:
            return "ok"
        drawn = Random(f"{self._seed} {text} {times}").random()  # noqa: S311
        for kind, share in self._shares.items():
            if drawn < share:
                return kind
            drawn -= share
        return "ok"

    def _reply(self, kind: str, received: Received, text: str) -> Answer:
        pause: list[Part] = [Pause(self._seconds)] if self._seconds else []
        if kind == "reset":
            return Streamed([*pause, RESET])
        if kind == "cut":
            return Streamed([*pause, "so far ", CUT if self.let_through[text] % 2 else RESET])
        answer = self._otherwise(received)
        return replace(answer, parts=[*pause, *answer.parts]) if isinstance(answer, Streamed) else answer

    def _take_place(self, received: Received) -> bool:
        if math.isinf(self._places):
            return True
        over = {each for each in self._under_way if each.finished.is_set() or each.disconnected.is_set()}
        self._under_way -= over
        if len(self._under_way) >= self._places:
            return False
        self._under_way.add(received)
        return True

    def _wait(self) -> float:
        """Take a token, or return the seconds until there is one."""
        if math.isinf(self._rate):
            return 0.0
        now = self._clock()
        self._tokens = min(self._burst, self._tokens + (now - self._filled_at) * self._rate)
        self._filled_at = now
        if self._tokens < 1:
            return (1 - self._tokens) / self._rate
        self._tokens -= 1
        return 0.0
