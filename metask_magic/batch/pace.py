"""How many requests a second a gateway takes, learnt when it refuses one (see `allowance`)."""

from __future__ import annotations

import math

HEADROOM = 0.05
A_TOKEN = 1.1
"""Of the time in which a token comes at the known pace, what is waited for one."""

# What a refusal may cost: one in a hundred requests, and a twentieth of the time.
ROWS_BETWEEN_TRIALS = 100
PAUSES_BETWEEN_TRIALS = 20


class Pace:
    """How many requests a second may be sent: no limit until the gateway has refused one for it."""

    # Fewer requests, or a greater part of the time lost in pauses, are no measure of a pace.
    CERTAIN = 10
    MOST_PAUSED = 0.25

    # A higher pace is tried in steps, each twice as big as the one before, for so many rows and seconds:
    # small ones from a pace that was measured, big ones from one that was guessed.
    FIRST_STEP, FIRST_STEP_UNSURE = 0.05, 0.25
    STRIDE, STRIDE_UNSURE = 25, 5
    STEP_SECONDS = 1.0

    def __init__(self, now: float, told: float = math.inf) -> None:
        self.rate = math.inf
        """Requests a second, as learnt."""
        self.told = told
        """Requests a second, as the user wants it."""
        self.next_at = 0.0
        """The time from which one more may be sent."""
        self.passed = 0
        """Requests that were sent since the bucket was empty, less those refused."""
        self._empty_at = now
        self._proven = math.inf
        self._step, self._stride, self._rows = 0.0, 0, 0
        self._kept_until = self._paused = 0.0
        self._is_sure = False

    def send(self, due: float, spread: float) -> None:
        """A request goes out, and the next one `spread` seconds later at the soonest."""
        self.passed += 1
        gap = 1 / min(self.rate, self.told)
        if 1 / self.rate > spread and due - self.next_at < gap:  # else the pace holds nobody back
            self._rows -= 1
            if self._rows <= 0 and due >= self._kept_until:
                self._quicken(due)
        self.next_at = due + max(gap, spread)

    def hold_until(self, time: float) -> None:
        """The next one goes out later."""
        self.next_at = max(self.next_at, time)

    def wait(self, now: float, pause: float) -> None:
        """A refusal costs so many seconds: many times as long, no pace above one that is known is tried."""
        self._paused += max(0.0, pause - A_TOKEN / self.rate)  # a bucket may run over in the rest
        self._kept_until = now + (PAUSES_BETWEEN_TRIALS * pause if self._is_sure else 0.0)

    def refuse(self, now: float) -> None:
        """The pace was too high: the bucket is empty.

        What was taken is too little where the bucket holds next to nothing, because tokens were lost in each
        pause. So a step that was refused leads back to the one before, and only if that is refused, too, to
        what was taken.
        """
        seconds = max(now - self._empty_at, 1e-3)
        is_step = self.rate > self._proven
        if self.passed < self.CERTAIN or self._paused > self.MOST_PAUSED * seconds:
            self._set(min(0.9 * self.rate, (max(self.passed, 0) + 1) / seconds), is_sure=False)
            self.empty(now)
            return
        measured = (1 - HEADROOM) * self.passed / seconds
        self._set(max(measured, self._proven) if is_step else min(self.rate, measured), is_sure=True)
        if not is_step:
            self.empty(now)

    def empty(self, now: float) -> None:
        """The gateway has no token left."""
        self._empty_at, self.passed, self._paused = now, 0, 0.0

    def _set(self, rate: float, *, is_sure: bool) -> None:
        self.rate = self._proven = rate
        self._is_sure = is_sure
        self._step = self.FIRST_STEP if is_sure else self.FIRST_STEP_UNSURE
        self._stride = self.STRIDE if is_sure else self.STRIDE_UNSURE
        self._rows = ROWS_BETWEEN_TRIALS if is_sure else self.CERTAIN + 1

    def _quicken(self, now: float) -> None:
        self._proven = self.rate
        self.rate *= 1 + self._step
        self._step = min(1.0, 2 * self._step)
        self._rows = self._stride
        self._kept_until = now + self.STEP_SECONDS
