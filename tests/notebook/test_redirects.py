"""Redirects: followed within the gateway; elsewhere nothing goes, and the error says where they pointed."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from ..gateway_server import GatewayServer, Page, Streamed, refused
from ..kernel import Kernel
from .conftest import value

STATUS = [301, 302, 303, 307, 308]
WAYS = {
    "streamed": "%%metask gpt-4o-mini\nMy secret",
    "whole": "%%metask gpt-4o-mini --no-stream\nMy secret",
    "a table": "%%metask gpt-4o-mini --map rows\nMy secret {{ n }}",
    "models": "%metask models",
}


class Listener:
    """Somebody else's address, which counts who comes."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self.came = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.came += 1
            connection.close()

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def listener() -> Iterator[Listener]:
    listening = Listener()
    yield listening
    listening.close()


def moved(status: int, to: str) -> Page:
    return Page(b"", status, {"Location": to})


@pytest.mark.parametrize("status", STATUS)
@pytest.mark.parametrize("way", WAYS)
def test_nothing_goes_elsewhere(
    asking: Kernel, gateway: GatewayServer, listener: Listener, status: int, way: str
) -> None:
    asking.run("rows = [{'n': 1}]\n%config Metask.recordings_path = 'redirects.jsonl'")
    address = f"http://127.0.0.1:{listener.port}/v1"
    answer = moved(status, f"http://user:s3cret@127.0.0.1:{listener.port}/v1/chat/completions?token=t0ken#x")
    gateway.script(answer)
    gateway.script_models(answer)
    cell = asking.run(WAYS[way])
    assert cell.error is not None
    shown = "\n".join(cell.error["traceback"])
    assert f"redirects ({status}) to {address}/chat/completions; nothing was sent there" in shown
    assert f'Metask.base_url = "{address}"' in shown
    assert "s3cret" not in shown
    assert "t0ken" not in shown
    assert listener.came == 0


@pytest.mark.parametrize(
    "to",
    [
        "https://127.0.0.1:{port}/v1/chat/completions",
        "http://me:s3cret@127.0.0.1:{port}/v1/chat/completions?x",
        "//127.0.0.1:{other}/v1/x",
        "http://localhost:{other}/v1/x",
        "ftp://127.0.0.1:{other}/v1/x",
        "file:///etc/passwd",
        "http://[::1",
        "",
    ],
)
def test_another_origin_is_elsewhere(
    asking: Kernel, gateway: GatewayServer, listener: Listener, to: str
) -> None:
    port = gateway.base_url.rpartition(":")[2].removesuffix("/v1")
    gateway.script(moved(307, to.format(port=port, other=listener.port)))
    cell = asking.run("%%metask gpt-4o-mini\nMy secret")
    assert cell.error is not None
    assert cell.error["ename"] == "GatewayError"
    assert (listener.came, len(gateway.chats)) == (0, 1)
    assert "s3cret" not in str(cell.error)


@pytest.mark.parametrize("status", [307, 308])
@pytest.mark.parametrize("way", [way for way in WAYS if way != "models"])
def test_within_the_gateway_it_is_followed(
    asking: Kernel, gateway: GatewayServer, status: int, way: str
) -> None:
    asking.run("rows = [{'n': 1}]\n%config Metask.recordings_path = 'followed.jsonl'")
    gateway.script(moved(status, f"/v1/chat/completions?again={status}{way[0]}"), Streamed(["Here."]))
    cell = asking.run(f"{WAYS[way]} {status}")
    assert cell.error is None
    assert "Here." in str([output["data"] for output in cell.displays])
    first, second = gateway.chats[-2:]
    assert (first.body, second.key) == (second.body, gateway.api_key)


def test_round_in_circles_ends(asking: Kernel, gateway: GatewayServer) -> None:
    gateway.answer_with(lambda received: moved(307, f"/v1/chat/completions?n={received.number}"))
    cell = asking.run("%%metask gpt-4o-mini\nHi")
    assert cell.error is not None
    assert cell.error["ename"] == "GatewayError"
    assert "redirects (307) again and again, at last to http" in "\n".join(cell.error["traceback"])
    assert len(gateway.chats) == 5


def test_the_list_of_models_may_have_moved(asking: Kernel, gateway: GatewayServer) -> None:
    gateway.script_models(
        moved(308, "models?a"), moved(307, "/v1/models?b"), Page({"data": [{"id": "here"}]})
    )
    cell = asking.run("%config Metask.timeout = 62\n%metask models")  # another client, which knows no list
    assert "here" in str(cell.displays[0]["data"])
    assert len(gateway.requests) == 3


RENAMED = "'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."


def test_a_parameter_by_its_other_name(asking: Kernel, gateway: GatewayServer) -> None:
    gateway.script(refused(400, RENAMED, param="max_tokens"))
    cell = asking.run("%%metask o1 --max-tokens 50 -o kept\nHi")
    assert cell.error is None
    first, second = (received.json for received in gateway.chats)
    assert (first["max_tokens"], second["max_completion_tokens"], "max_tokens" in second) == (50, 50, False)
    assert cell.text("stderr") == "o1 takes no max_tokens: the limit was sent as max_completion_tokens.\n"
    again = asking.run("%%metask o1 --max-tokens 50 -o kept\nHi again")
    assert (again.text("stderr"), len(gateway.chats)) == ("", 3)
    assert "max_completion_tokens=50" in value(asking, "str(kept.as_code())")


def test_the_rows_of_a_table_have_it_by_that_name_too(asking: Kernel, gateway: GatewayServer) -> None:
    gateway.answer_with(
        lambda received: refused(400, RENAMED) if "max_tokens" in received.json else Streamed(["Hi"])
    )
    asking.run("rows = [{'n': n} for n in range(3)]\n%config Metask.recordings_path = 'renamed.jsonl'")
    code = "%%metask gpt-4o --max-tokens 50 --map rows\nrow {{ n }}"
    (summary,) = (output["data"]["text/plain"] for output in asking.run(code).displays[:1])
    assert summary.startswith("3 rows: 3 answered.")
    assert summary.count("gpt-4o takes no max_tokens: the limit was sent as max_completion_tokens.") == 1
    before = len(gateway.chats)
    cell = asking.run("%%metask gpt-4o --max-tokens 50 -o kept\nAlone")
    assert (cell.text("stderr"), len(gateway.chats) - before) == ("", 1), "what rows learnt, cells know"
    assert gateway.last.json["max_completion_tokens"] == 50
