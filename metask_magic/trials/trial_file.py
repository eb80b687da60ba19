"""A trial as a file of JSON Lines: what was tried, the table's rows, every answer with its grade."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..chat.reply import Reply
from ..errors import MetaskError
from ..gateway.recording import RecordedReply, UnreadableError
from ..language import N_, _
from ..table.answers import REPLY
from ..table.journal import recorded, replayed
from ..table.rows import RecordRows, WholeRows
from ..usage.ledger import Figure
from .answer import Answer, Grade
from .comparing import plain_value
from .cost import Cost
from .facts import Facts
from .judge import JudgeUse

if TYPE_CHECKING:
    from .trial import Trial

KIND, VERSION = "metask-trial", 1
_SAVE_AGAIN = N_("Save the trial again.")


def save(trial: Trial, path: Path) -> None:
    """Write a trial. Raises `MetaskError`."""
    text = "".join(f"{dump(line)}\n" for line in _iter_lines(trial))
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise MetaskError(
            _("{path} cannot be written ({reason}).", path=path, reason=error.strerror or error),
            _("Give another path, or make room."),
        ) from None


def load(path: Path) -> tuple[WholeRows, Sequence[Answer], Facts]:
    """Read a trial. Raises `MetaskError`."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else _("it is no text")
        raise MetaskError(
            _("{path} cannot be read ({reason}).", path=path, reason=reason),
            _("Give a path that a trial was saved to."),
        ) from None
    if not lines:
        raise _unreadable(path, 1, _("there is nothing in it"))
    facts, follow = _read(path, 1, lines[0], lambda data: (_to_facts(data), int(data["lines"])))
    if len(lines) - 1 != follow:
        raise MetaskError(
            _(
                "{path} is not whole: it has {found:,} lines of {wanted:,}.",
                path=path,
                found=len(lines) - 1,
                wanted=follow,
            ),
            _(_SAVE_AGAIN),
        )
    rows: list[Mapping[str, Any]] = []
    answers: list[Answer] = []
    for number, line in enumerate(lines[1:], 2):
        if '"values"' in line[:20]:
            rows.append(_read(path, number, line, lambda data: dict(data["values"])))
        else:
            answers.append(_read(path, number, line, _to_answer))
    if any(answer.model not in facts.models or answer.row >= len(rows) for answer in answers):
        raise MetaskError(
            _("{path} has answers to no row, or of no model of its own.", path=path), _(_SAVE_AGAIN)
        )
    return RecordRows(rows, facts.table), answers, facts


def _iter_lines(trial: Trial) -> Iterator[Mapping[str, Any]]:
    follow = len(trial.rows) + len(trial.answers)
    yield {"kind": KIND, "version": VERSION, "lines": follow, **_from_facts(trial.facts)}
    for row in trial.rows:
        yield {"values": plain_row(row)}
    yield from map(_from_answer, trial.answers)


def _from_facts(facts: Facts) -> dict[str, Any]:
    plain = asdict(facts)
    if facts.judge is not None:
        cost = facts.judge.cost
        plain["judge"] = asdict(facts.judge) | {
            "cost": {**asdict(cost), "usd": None if cost.usd is None else str(cost.usd)}
        }
    return plain


def _to_facts(data: Mapping[str, Any]) -> Facts:
    if data.get("kind") != KIND:
        raise UnreadableError(_("is none of a trial"))
    if data["version"] > VERSION:
        raise UnreadableError(
            _(
                "was written by a newer version (format {version}, known is {known})",
                version=data["version"],
                known=VERSION,
            )
        )
    known = {name: value for name, value in data.items() if name in Facts.__dataclass_fields__}
    lists = {name: tuple(known[name]) for name in ("models", "fields", "given_up")}
    judge = known.get("judge")
    return Facts(**{**known, **lists, "judge": None if judge is None else _to_judge(judge)})


def _to_judge(data: Mapping[str, Any]) -> JudgeUse:
    cost = data["cost"]
    usd = None if cost["usd"] is None else Decimal(cost["usd"])
    return JudgeUse(
        data["model"],
        data["graded"],
        Cost(cost["replies"], cost["reported"], Figure(**cost["tokens"]), usd, cost["source"]),
    )


def _from_answer(answer: Answer) -> dict[str, Any]:
    grade = answer.grade
    line = {
        "row": answer.row,
        "model": answer.model,
        "sample": answer.sample,
        "outcome": answer.outcome,
        "score": grade.score,
        "reason": grade.reason or None,
        "check_error": grade.error,
        "error": answer.error,
        "like": answer.like,
        "said": None if {*answer.said} <= {REPLY} else dict(answer.said),
        "reply": None if answer.reply is None else recorded(answer.reply).to_json(),
    }
    return {name: value for name, value in line.items() if value is not None}


def _to_answer(data: Mapping[str, Any]) -> Answer:
    model = str(data["model"])
    reply: Reply | None = None
    if "reply" in data:
        reply = replayed(model, RecordedReply.from_json(data["reply"]))
    return Answer(
        int(data["row"]),
        model,
        int(data["sample"]),
        data["outcome"],
        reply,
        data.get("said", {} if reply is None or data["outcome"] != "answered" else {REPLY: reply.text}),
        data.get("error"),
        Grade(data.get("score"), data.get("reason", ""), data.get("check_error")),
        data.get("like"),
    )


def _read(path: Path, number: int, line: str, convert: Any) -> Any:
    try:
        data = json.loads(line)
        if not isinstance(data, dict):
            raise UnreadableError(_("is none of a trial"))
        return convert(data)
    except UnreadableError as error:
        raise _unreadable(path, number, str(error)) from None
    except (ValueError, RecursionError, KeyError, TypeError):
        raise _unreadable(path, number, _("is not whole, or none of a trial")) from None


def _unreadable(path: Path, number: int, why: str) -> MetaskError:
    return MetaskError(_("Line {number} of {path} {why}.", number=number, path=path, why=why), _(_SAVE_AGAIN))


def plain_row(row: Mapping[Any, Any]) -> dict[str, Any]:
    """Return a row as it is written down."""
    return {str(name): plain_value(value) for name, value in row.items()}


def dump(line: Mapping[str, Any], **options: Any) -> str:
    """Return a line; what JSON has no word for is written as text."""
    return json.dumps(line, ensure_ascii=False, default=_plain, **options)


def _plain(value: Any) -> Any:
    plain = plain_value(value)
    if isinstance(plain, set | frozenset):
        return sorted(plain, key=str)
    return plain if isinstance(plain, str | int | float | list) else str(plain)
