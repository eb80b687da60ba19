"""Finding a Chromium, and what happens without one."""

from __future__ import annotations

import sys

import pytest

from .chromium import VARIABLE, find_chromium


def test_the_variable_names_it() -> None:
    assert find_chromium({VARIABLE: sys.executable}) == sys.executable


def test_without_one_the_tests_are_skipped_but_fail_in_ci() -> None:
    nowhere = {VARIABLE: "/no/such/chromium"}
    with pytest.raises(pytest.skip.Exception, match="no Chromium"):
        find_chromium(nowhere)
    with pytest.raises(pytest.fail.Exception, match="no Chromium"):
        find_chromium(nowhere | {"CI": "true"})
