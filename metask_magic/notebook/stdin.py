"""Questions to the user, where there may be nobody who can answer."""

from __future__ import annotations

import getpass
import sys

YES = ("y", "yes", "是")
NO = ("n", "no", "否")


class NobodyAnswersError(Exception):
    """There is no stdin, or it has ended, or the front end takes no questions."""


def ask(question: str, *, hidden: bool = False) -> str:
    """Return what the user types, not shown if `hidden`. Raises `NobodyAnswersError`."""
    sys.stdout.flush()
    sys.stderr.flush()
    try:
        return getpass.getpass(question) if hidden else input(question)
    except (EOFError, OSError, NotImplementedError):  # the last is ipykernel's StdinNotImplementedError
        raise NobodyAnswersError from None
