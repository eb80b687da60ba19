"""A gateway under load: it limits the rate, fails now and then, and cuts replies off."""

from __future__ import annotations

import math
import threading
import time
from collections import Counter
from collections.abc import Callable
from random import Random

from .answers import CUT, RESET, Answer, Streamed
from .pages import rate_limited, server_error
from .received import Received
from .script import Chooser, echo


class Trouble:
    """Chooses answers for `GatewayServer.answer_with`.

    At most `requests_per_second` are answered, after the first `burst` of them; the others get a 429 with a
    `Retry-After` in whole seconds. Of what is let through, the shares `failing` and `cut` fail with a 500
    and break off in the middle. Which ones depends on `seed`, the text and how often it was let through
    alone: the order in which requests come changes nothing.
    """

    def __init__(
        self,
        requests_per_second: float = math.inf,
        *,
        burst: int = 100,
        failing: float = 0.0,
        cut: float = 0.0,
        seed: int = 0,
        otherwise: Chooser = echo,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.given: Counter[str] = Counter()
        """How many answers of each kind were given: `ok`, `limited`, `failed`, `cut`."""
        self.let_through: Counter[str] = Counter()
        """How often each text was."""
        self.troubled: Counter[str] = Counter()
        """How often each text had another answer than the reply."""
        self._rate = requests_per_second
        self._burst = float(burst)
        self._shares = failing, failing + cut
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
        if (wait := self._wait()) > 0:
            return "limited", rate_limited(math.ceil(wait))
        self.let_through[text] += 1
        drawn = Random(f"{self._seed} {text} {self.let_through[text]}").random()  # noqa: S311
        failing, broken = self._shares
        if drawn < failing:
            return "failed", server_error()
        if drawn < broken:
            return "cut", Streamed(["so far ", CUT if self.let_through[text] % 2 else RESET])
        return "ok", self._otherwise(received)

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
