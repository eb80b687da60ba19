"""What a gateway allows, learnt from how it answers: a number of requests at once, and a pace.

Two limits are usual, and a refusal (429) does not say which of them was met. A limit of the *number* refuses
a request because of those beside it: when one of them ends, the next is taken. A limit of the *pace* refuses
for a while, however few are under way. What was taken a moment before tells them apart:

- A request refused beside more others than any that was taken met the number. As many as were beside it may
  be under way from then on: that is the limit itself, not a share of it. Nobody waits, unless the gateway
  says so.
- A request refused beside fewer others than one that was taken met the pace, and all wait. The gateway's
  bucket of tokens is empty then, so what was taken since the last such moment is what flowed in meanwhile,
  whatever the bucket's size: the pace is that number over that time, less a little headroom.
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

from .pace import A_TOKEN, Pace
from .places import Places, Sent

CATCH_UP_SECONDS = 0.03
FIRST_PAUSE = 0.5
LONGEST_PAUSE = 60.0

# A request was taken, though no answer is here, when it is this many times older than refusals were.
_TRUSTED_AFTER = 4
_SHORTEST_TRUST = 0.1

# Of the time that an answer takes, the part over which those under way are spread; each by no more than so
# many seconds as long as there may be no limit.
_SPREAD_OVER = 0.8
_MOST_SPREAD = 0.05

# Between the first request after a pause and the next, in seconds: whether it is taken is known by then.
_LONGEST_GAP = 1.0

# How often a refusal beside nearly as many as were taken may be the number's.
_EXCUSES = 3
_ROWS_PER_EXCUSE = 200
_NEARLY = 0.8


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
