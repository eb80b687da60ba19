"""A cell's place is kept, whatever another cell puts before it."""

from __future__ import annotations

from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

from metask_magic.display.place import Place


class Publisher:
    """Notes what is published."""

    def __init__(self) -> None:
        self.published: list[dict[str, Any]] = []

    def publish(self, **message: Any) -> None:
        self.published.append(message)


@pytest.fixture
def publisher(monkeypatch: pytest.MonkeyPatch) -> Publisher:
    publisher = Publisher()
    shell = type("Shell", (), {"display_pub": publisher})()
    monkeypatch.setattr(InteractiveShell, "initialized", lambda: True)
    monkeypatch.setattr(InteractiveShell, "instance", lambda: shell)
    monkeypatch.setattr("IPython.core.getipython.get_ipython", lambda: shell)
    return publisher


def test_what_another_cell_captures_is_not_ours(
    publisher: Publisher, capsys: pytest.CaptureFixture[str]
) -> None:
    place = Place()
    with capture_output() as captured:
        place.display({"text/plain": "a"}, {"m": 1}, "id-1")
        place.replace("id-1", {"text/plain": "b"}, {})
        place.display({"text/plain": "c"}, {})
        place.say("beside")
        print("below", file=place.stdout)
    assert publisher.published == [
        {"data": {"text/plain": "a"}, "metadata": {"m": 1}, "transient": {"display_id": "id-1"}},
        {"data": {"text/plain": "b"}, "metadata": {}, "transient": {"display_id": "id-1"}, "update": True},
        {"data": {"text/plain": "c"}, "metadata": {}, "transient": {}},
    ]
    assert capsys.readouterr() == ("below\n", "beside\n")
    assert (captured.stdout, captured.stderr, captured.outputs) == ("", "", [])
