"""Old versions of what we build on: those of Colab, and the lowest that `pyproject.toml` allows.

The kernel is of an environment of its own; who drives it is not.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ..gateway_server import STALL, Gate, GatewayServer, Streamed
from ..kernel import Kernel, published
from ..notebook.conftest import point_at, value
from ..notebook.test_pages import (  # noqa: F401 -- ipykernel 6 has another queue than 7
    gate,
    test_a_cell_that_fails_aborts_those_behind_it,
    test_a_page_that_comes_late_gets_the_text_so_far,
    test_cells_wait_their_turn_and_keep_their_order,
    test_stop_arrives,
    waiting,
)
from .environments import COLAB, PROJECT, VERSIONS

NOTEBOOK = {"cellId": "a-cell"}


@pytest.fixture(scope="module", params=VERSIONS)
def kernel(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    python = VERSIONS[request.param].install(tmp_path_factory.mktemp("environment"))
    with Kernel.start(tmp_path_factory.mktemp("kernel"), python=python) as running:
        yield running


@pytest.fixture
def asking(kernel: Kernel, gateway: GatewayServer) -> Kernel:
    point_at(kernel, gateway)
    return kernel


def lowest(name: str) -> str:
    """The version of a package that `pyproject.toml` names."""
    text = PROJECT.read_text(encoding="utf-8")
    return text.partition(f'"{name}>=')[2].partition('"')[0]


def test_they_are_installed(asking: Kernel, request: pytest.FixtureRequest) -> None:
    for name, pinned in COLAB.items():
        asked = f"__import__('importlib.metadata').metadata.version({name!r})"
        expected = pinned if "Colab" in request.node.callspec.id else lowest(name)
        assert f"{value(asking, asked)[1:-1]}.".startswith(f"{expected}.")


def test_nothing_is_warned_of(asking: Kernel) -> None:
    assert asking.run("%reload_ext metask_magic").text("stderr") == ""
    assert "Warning" not in asking.process_output


def test_a_reply_is_shown_and_is_a_value(asking: Kernel, gateway: GatewayServer) -> None:
    gateway.script(Streamed(["Once upon", " a time."]))
    cell = asking.run("%%metask gpt-4o-mini -o story\nA story?")
    assert [output["data"]["text/markdown"] for output in cell.displays] == ["Once upon a time."]
    assert (
        value(asking, "story.text, _ is story, story.model") == "('Once upon a time.', True, 'gpt-4o-mini')"
    )


def test_it_streams_into_a_view_and_leaves_a_record(asking: Kernel, gateway: GatewayServer) -> None:
    held = Gate()
    gateway.script(Streamed(["Once upon ", held, "a time."]))
    cell = asking.start_run("%%metask gpt-4o-mini\nA story?", metadata=NOTEBOOK)
    view = cell.wait_for(published("comm_open", '"columns"')).content
    assert view["target_name"] == "jupyter.widget"
    assert view["data"]["state"]["_model_module"] == "anywidget"
    cell.wait_for(published("comm_msg", "Once upon "))
    held.open()
    ended = cell.finish()
    (output,) = ended.displays
    assert output["data"]["text/markdown"] == "Once upon a time."
    assert output["metadata"]["metask"]["model"] == "gpt-4o-mini"


def test_an_interrupt_keeps_what_came(asking: Kernel, gateway: GatewayServer) -> None:
    gateway.script(Streamed(["So far", STALL]))
    cell = asking.start_run("%%metask gpt-4o-mini -o kept\nHi", metadata=NOTEBOOK)
    cell.wait_for(published("comm_msg", "So far"))
    asking.interrupt()
    ended = cell.finish()
    assert gateway.last.disconnected.wait(60)
    assert ended.error is not None
    assert ended.error["ename"] == "Interrupted"
    assert ended.displays[0]["data"]["text/markdown"].startswith("So far\n\n> ")
    assert value(asking, "kept.text, kept.finish_reason") == "('So far', 'interrupted')"


def test_settings_are_configured(asking: Kernel, gateway: GatewayServer) -> None:
    asking.run("%config Metask.model = 'o1'\n%config Metask.temperature = 0.5")
    assert value(asking, "get_ipython().run_line_magic('config', 'Metask.model')") == "'o1'"
    asking.run("%%metask\nHi")
    assert gateway.last.json["model"] == "o1"
    assert gateway.last.json["temperature"] == 0.5
    assert "temperature" in asking.run("%config Metask").text()
    assert "expected a float, not the str 'hot'" in asking.run("%config Metask.temperature = 'hot'").text(
        "stderr"
    )
    asking.run("%config Metask.temperature = None")


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("%%metask gpt-4o-mini --max-to", "--max-tokens"),
        ("%%metask gp", "gpt-4o-mini"),
        ("%metask mod", "models"),
        ("%%metask gpt-4o-mini -o x\nTell {{ her", "hero"),
    ],
)
def test_tab(asking: Kernel, typed: str, offered: str) -> None:
    asking.run("hero = 'Ada'\n%metask models")
    assert offered in asking.complete(typed, len(typed))[0]
