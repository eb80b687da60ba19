"""What travels: everything can be pickled, and a key shows itself to nobody."""

from __future__ import annotations

import pickle

from metask_magic.chat.reply import Reply
from metask_magic.cluster.messages import Briefing, Report, TravellingKey
from metask_magic.errors import RateLimitError
from metask_magic.keys import ApiKey
from metask_magic.usage.ledger import Figure, ModelUsage

KEY = ApiKey("sk-made-up", "METASK_API_KEY")


def test_a_key_arrives_and_is_not_shown() -> None:
    briefing = Briefing("run", "1.0", "m", {"timeout": 3.0}, TravellingKey(KEY))
    there = pickle.loads(pickle.dumps(briefing))
    assert there.key.arrive() == KEY
    assert there.key.arrive().source == "METASK_API_KEY"
    for shown in (repr(there), str(there.key), f"{there.key!r}"):
        assert "sk-made-up" not in shown
        assert "<key from METASK_API_KEY>" in shown


def test_a_report_arrives_whole() -> None:
    error = RateLimitError("Slow down.", "Wait.", request_id="r1", status=429, retry_after=3.0)
    reply = Reply("half", "m", "error", error=error)
    used = {("m", 0): ModelUsage("m", requests=2, input=Figure(3, 1))}
    report = Report(7, "tcp://there", ((1, reply, True),), used, 2, "done")
    there = pickle.loads(pickle.dumps(report))
    assert there == report
    found = there.answers[0][1].error
    assert (type(found), found.args, vars(found)) == (RateLimitError, error.args, vars(error))
