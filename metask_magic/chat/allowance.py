"""What a gateway allows, learnt from how it answers: a number of requests at once, and a pace.

Two limits are usual, and a refusal (429) does not say which of them was met. A limit of the *number* refuses
a request because of those beside it: when one of them ends, the next is taken. A limit of the *pace* refuses
for a while, however few are under way. What was taken a moment before tells them apart:

- A request refused beside more others than any that was taken met the number. As many as were beside it may
  be under way from then on: that is the limit itself, not a share of it. Nobody waits, unless the gateway
  says so.
- A request refused beside fewer others than one that was taken met the pace, and all wait. The gateway's
  bucket of tokens is empty then, so what was taken since the last such moment is what flowed in meanwhile,
  whatever the bucket's size: the pace is that number over that time, less `HEADROOM`.
- A request refused when none was taken since the last refusal came too early: all wait, longer each time.

What was learnt is tried anew, with one request more or a little faster: the number ever more seldom while
that is refused, the pace in ever greater steps while it is taken. Failures of other kinds teach nothing.

One more for each answer until the first refusal, and then a careful trial, are TCP's (Jacobson, "Congestion
Avoidance and Control", SIGCOMM 1988). Its halving is not: a gateway's limit is a fixed number that a refusal
shows exactly, not a queue which has to drain. Requests are spread over the time that an answer takes, as
TCP's packets are by pacing (Aggarwal, Savage and Anderson, "Understanding the Performance of TCP Pacing",
INFOCOM 2000). The bucket of tokens is Turner's ("New Directions in Communications", IEEE Communications 24,
1986).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

START = 8
"""Requests at once before anything is known."""
HEADROOM = 0.05
A_TOKEN = 1.1
"""Of the time in which a token comes at the known pace, what is waited for one."""
CATCH_UP_SECONDS = 0.03
FIRST_PAUSE = 0.5
LONGEST_PAUSE = 60.0

# What a refusal may cost: one in a hundred requests, and a twentieth of the time.
ROWS_BETWEEN_TRIALS = 100
SECONDS_BETWEEN_TRIALS = 30.0
PAUSES_BETWEEN_TRIALS = 20

_LATER = 4
_TRUSTED_AFTER = 4
_SHORTEST_TRUST = 0.1
_SPREAD_OVER = 0.8
_MOST_SPREAD = 0.05
_LONGEST_GAP = 1.0
_EXCUSES = 3
_ROWS_PER_EXCUSE = 200
_NEARLY = 0.8


@dataclass(slots=True)
class Sent:
    """A request on its way: when it was sent, as which one since the last refusal, beside how many others.

    `is_most` says that none was taken beside as many lately.
    """

    at: float
    number: int
    beside: int
    is_most: bool


class Allowance:
    """What one gateway allows, of at most `most` requests at once. Times are in seconds of one clock.

    `jitter` gives numbers from 0 to 1.
    """

    def __init__(self, most: int, jitter: Callable[[], float], now: float) -> None:
        self.places = Places(most)
        self.pace = Pace(now)
        self.resume_at = 0.0
        """Nothing may be sent before."""
        self._jitter = jitter
        self._reacted_at = -math.inf
        self._sent_since = self._early = 0
        self._most_beside = -1
        self._met_number = False
        self._excuses = _EXCUSES
        self._refusal_takes = self._answer_takes = 0.0

    @property
    def next_at(self) -> float:
        """The time from which one more may be sent, if there is a place for it."""
        return max(self.resume_at, self.pace.next_at)

    def send(self, now: float, beside: int, due: float) -> Sent:
        """A request goes out beside so many others; it might have since `due`."""
        sent = Sent(now, self._sent_since, beside, beside > self._most_beside)
        self._most_beside = max(self._most_beside, beside)
        spread = _SPREAD_OVER * self._answer_takes / self.places.number_soon
        if math.isinf(self._reacted_at):  # perhaps there is no limit
            spread = min(spread, _MOST_SPREAD)
        self.pace.send(max(due, now - CATCH_UP_SECONDS), spread)
        if self._early and not self._sent_since:  # is it taken? The others wait for what comes of it
            self.pace.hold_until(now + min(2 * self._refusal_takes, _LONGEST_GAP))
        self.places.send(sent)
        self._sent_since += 1
        return sent

    def answer(self, sent: Sent, now: float) -> None:
        """A request was taken, and its answer is here."""
        self.places.answer(sent)
        took = now - sent.at
        self._answer_takes += (took - self._answer_takes) / 8 if self._answer_takes else took

    def refuse(self, sent: Sent, now: float, retry_after: float | None) -> None:
        """A request was refused."""
        self.pace.passed -= 1
        self._refusal_takes = max(self._refusal_takes, now - sent.at)
        pause = retry_after or 0.0
        if sent.at >= self._reacted_at:
            pause = self._react(sent, now, pause)
        if self._met_number:  # the first of those under way together had none beside it that was refused
            self.places.lower(sent.beside)
            self._most_beside = min(self._most_beside, sent.beside - 1)
        self.put_off(now + pause)

    def put_off(self, until: float) -> None:
        """Nobody sends anything before."""
        self.resume_at = max(self.resume_at, until)

    def more_in(self, now: float) -> float:
        """All places are taken: return the seconds until one more may be tried; 0 where there is one now."""
        return self.places.more_in(now, max(_SHORTEST_TRUST, _TRUSTED_AFTER * self._refusal_takes))

    def forget_pace(self, now: float) -> None:
        """It was learnt too long ago."""
        self.pace = Pace(now, self.pace.told)

    def _react(self, sent: Sent, now: float, pause: float) -> float:
        """Learn from the first refusal of those under way together. Return the seconds that all wait."""
        is_early = self._reacted_at > -math.inf and sent.number == 0
        self._met_number = self.places.is_trial(sent) or (
            sent.beside > 0 and ((sent.is_most and not is_early) or self._is_excused(sent))
        )
        if self._met_number:
            self._early = 0
            self.places.refuse(now, pause)
        else:
            pause = self._met_pace(is_early, now, pause)
        self.pace.wait(now, pause)
        self._reacted_at, self._sent_since = now, 0
        return pause

    def _is_excused(self, sent: Sent) -> bool:
        """Whether those beside a request may have been too many, if not more than others were beside.

        How many a gateway counts is a little less or more than what is seen here, so one or two beside the
        limit make no difference, unless that happens all the time.
        """
        if sent.number >= _ROWS_PER_EXCUSE:
            self._excuses = min(_EXCUSES, self._excuses + 1)
        is_near = math.isinf(self.pace.rate) and sent.beside >= _NEARLY * self._most_beside - 1
        if self._excuses and (is_near or self.places.is_more(sent) or self.places.is_full(sent)):
            self._excuses -= 1
            return True
        return False

    def _met_pace(self, is_early: bool, now: float, pause: float) -> float:
        self._early = self._early + 1 if is_early else 1
        if is_early and self.pace.rate < math.inf:
            self.pace.empty(now)
        else:
            self._most_beside = -1
            self.pace.refuse(now)
        return max(pause, self._guess())

    def _guess(self) -> float:
        """Return seconds to wait where the gateway names none: time for a token, twice as long each time."""
        first = max(FIRST_PAUSE, A_TOKEN / self.pace.rate)
        return min(LONGEST_PAUSE, first * 2.0 ** min(self._early - 1, 16)) * (0.75 + self._jitter() / 4)


class Places:
    """How many requests may be under way at once."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._number = min(START, most)
        self._grows = True
        self._was_full = False
        self._shown: int | None = None
        self._trials = Trials()
        self._is_trying = False
        self._trial: Sent | None = None

    @property
    def number(self) -> int:
        """The limit as it is known."""
        return self._number

    @property
    def number_soon(self) -> int:
        """How many it may be when those under way are answered."""
        return 2 * self._number if self._grows else self._number

    def restrict(self, most: int) -> None:
        """No more than so many are wanted."""
        self._most = most
        self._number = min(self._number, most)

    def is_full(self, sent: Sent) -> bool:
        """Whether a request took the last place of a number that a refusal had shown."""
        return not self._grows and sent.beside + 1 >= self._number

    def is_trial(self, sent: Sent) -> bool:
        """Whether it tried if one more is allowed by now."""
        return sent is self._trial

    def is_more(self, sent: Sent) -> bool:
        """Whether it was one more than a refusal had shown to be allowed."""
        return self._shown is not None and sent.beside >= self._shown

    def send(self, sent: Sent) -> None:
        """A request takes a place."""
        takes_last = sent.beside + 1 >= self._number
        self._was_full = self._was_full or takes_last
        if self._is_trying and self._trial is None and takes_last:
            self._trial = sent

    def answer(self, sent: Sent) -> None:
        """A request was taken: where all places were, there is one more."""
        self._trials.count += 1
        if sent is self._trial:
            self._succeed()
        if self._grows and self._was_full and self._number < self._most:
            self._number += 1
            self._was_full = False
            if self._shown is not None and self._number > self._shown + 2:
                self._shown = None  # a gateway may let one or two more slip through, not more

    def lower(self, beside: int) -> None:
        """One beside so many others was too many."""
        self._number = self._shown = max(1, min(self._number, beside))

    def refuse(self, now: float, pause: float) -> None:
        """The limit was met; it cost so many seconds."""
        self._trials.fail(now, pause, again=not self._grows)
        self._grows = self._is_trying = False
        self._trial = None

    def more_in(self, now: float, trusted_after: float) -> float:
        """As `Allowance.more_in`; a trial that was not refused after so many seconds was taken."""
        if self._grows or self._number >= self._most or (self._is_trying and self._trial is None):
            return math.inf
        if self._trial is not None:
            wait = self._trial.at + trusted_after - now
            if wait <= 0:
                self._succeed()
            return wait if wait > 0 else math.inf
        wait = self._trials.due_in(now)
        if wait <= 0:
            self._number += 1
            self._is_trying = True
        return wait

    def _succeed(self) -> None:
        self._is_trying, self._trial, self._grows = False, None, True
        self._trials = Trials()


class Trials:
    """When a number that was learnt is tried anew: later each time it fails, and not for ever."""

    def __init__(self) -> None:
        self.count = 0
        self._seconds = 1.0
        self._at = self._soonest = 0.0

    def fail(self, now: float, pause: float, *, again: bool) -> None:
        """The limit was met, which cost a pause."""
        if again:
            self._seconds *= _LATER
        self.count, self._at, self._soonest = 0, now, now + PAUSES_BETWEEN_TRIALS * pause

    def due_in(self, now: float) -> float:
        """Return the seconds until it may be tried; 0 where it may be now."""
        seconds = self._seconds
        if self.count >= ROWS_BETWEEN_TRIALS:
            seconds = min(seconds, SECONDS_BETWEEN_TRIALS)
        return max(0.0, self._at + seconds - now, self._soonest - now)


class Pace:
    """How many requests a second may be sent: no limit until the gateway has refused one for it."""

    CERTAIN = 10
    MOST_PAUSED = 0.25
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
