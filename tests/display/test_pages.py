"""Nothing is taken from a kernel that is not known; `tests/notebook/test_pages.py` asks real ones."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import Any

import pytest

from metask_magic.display.pages import attended


class Unknown:
    """Whoever looks into it finds nothing; whoever takes something fails."""

    shell_stream = None

    def _publish_status(self, *_: object) -> None:
        raise AssertionError("something was answered")


def kernel(**parts: object) -> SimpleNamespace:
    return SimpleNamespace(_publish_status=None, **parts)


@pytest.mark.parametrize(
    "shell",
    [
        None,
        SimpleNamespace(),
        SimpleNamespace(kernel=None),
        SimpleNamespace(kernel=Unknown()),
        SimpleNamespace(kernel=kernel(shell_stream=object())),
        SimpleNamespace(kernel=SimpleNamespace(shell_stream=object(), schedule_dispatch=print)),
        SimpleNamespace(kernel=kernel(shell_channel_thread=SimpleNamespace(manager=object()))),
    ],
)
def test_what_is_not_known_is_left_alone(shell: Any) -> None:
    with attended(shell) as attend:
        attend()


def test_only_the_main_thread_has_the_queue() -> None:
    class Kernel(Unknown):
        @property
        def shell_channel_thread(self) -> object:
            raise AssertionError("another thread looked at the queue")

    done: list[bool] = []

    def look() -> None:
        with attended(SimpleNamespace(kernel=Kernel())) as attend:
            attend()
        done.append(True)

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert done == [True]
