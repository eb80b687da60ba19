"""Errors: a few lines at first, everything when asked again, and a picture of the tree that is true."""

from __future__ import annotations

import inspect
from types import SimpleNamespace

import pytest

from metask_magic import errors
from metask_magic.errors import Interrupted, MetaskError

SEVERAL = {"m": SimpleNamespace(text="x" * 1200), "n": SimpleNamespace(text="so far.")}


@pytest.mark.parametrize(
    ("error", "lines"),
    [
        (MetaskError("It failed."), ["MetaskError: It failed."]),
        (MetaskError("It failed.", "Do this."), ["MetaskError: It failed.", "  → Do this."]),
        (MetaskError("It said: No..", "Do “it.”."), ["MetaskError: It said: No.", "  → Do “it.”"]),
        (
            errors.StreamCutError("Cut.", request_id="req-1"),
            ["StreamCutError: Cut.", "  Request id: req-1"],
        ),
        (Interrupted(SimpleNamespace(text="")), ["Interrupted: Stopped before any text came."]),
        (
            Interrupted(SimpleNamespace(text="x" * 1200)),
            ["Interrupted: Stopped. The 1,200 characters that came are kept in _."],
        ),
        (Interrupted(SEVERAL), ["Interrupted: Stopped. The 1,207 characters that came are kept in _."]),
        (
            Interrupted({"m": SimpleNamespace(text="")}),
            ["Interrupted: Stopped before any text came."],
        ),
    ],
)
def test_an_error_shows_a_few_lines(error: MetaskError | Interrupted, lines: list[str]) -> None:
    assert error._render_traceback_() == lines


def test_partial_text_is_mentioned() -> None:
    error = MetaskError("Cut.")
    error.reply = SimpleNamespace(text="so far")
    assert error._render_traceback_()[-1] == "  The 6 characters that came are kept in _."


def test_where_all_models_failed_it_says_so() -> None:
    error = MetaskError("It failed.", "Do this.")
    error.reply = SEVERAL
    assert error._render_traceback_() == [
        "MetaskError: It failed.",
        "  → Do this.",
        "  All 2 models failed; this is what the first one met.",
        "  The 1,207 characters that came are kept in _.",
    ]


def test_asked_again_it_shows_the_traceback() -> None:
    with pytest.raises(MetaskError) as caught:
        raise MetaskError("It failed.", "Do this.")
    caught.value._render_traceback_()
    again = caught.value._render_traceback_()
    assert again[0].startswith("Traceback")
    assert again[-1].endswith("It failed. Do this.")


def test_the_tree_at_the_top_names_every_error() -> None:
    drawn = inspect.getdoc(errors) or ""
    defined = [
        name
        for name, kind in inspect.getmembers(errors, inspect.isclass)
        if issubclass(kind, BaseException) and not name.startswith("_")
    ]
    assert [name for name in defined if name not in drawn] == []


def test_what_is_added_later_has_one_full_stop_too() -> None:
    error = MetaskError("It failed: Oh..", "Do this.")
    error.remedy = f"It said: No.. {error.remedy}"
    assert (str(error), error.message) == ("It failed: Oh. It said: No. Do this.", "It failed: Oh.")
