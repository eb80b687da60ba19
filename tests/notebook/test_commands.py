"""The one-word commands, through a real kernel where they ask something."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from metask_magic.errors import MetaskError
from metask_magic.gateway.models import Model
from metask_magic.messages.request import ImagePart, Message, Request, TextPart
from metask_magic.notebook.commands import dry_run, list_models

from ..gateway_server import GatewayServer
from ..kernel import Kernel

MODELS = [Model("gpt-4o", "openai", datetime(2024, 5, 13, tzinfo=UTC)), Model("o1|\x1b[31m", None, None)]


@pytest.mark.parametrize(
    ("pattern", "ids"),
    [("", ["gpt-4o", "o1|"]), ("GPT", ["gpt-4o"]), ("o?*", ["o1|"]), ("4", ["gpt-4o"])],
)
def test_models_that_match(pattern: str, ids: list[str]) -> None:
    assert [row[0] for row in list_models(MODELS, "", pattern).rows] == ids


def test_no_match_offers_the_nearest() -> None:
    with pytest.raises(MetaskError, match=r"None of the 2 models.*Did you mean gpt-4o\?"):
        list_models(MODELS, "", "gtp-4o")


def test_a_long_list_is_cut_with_a_note() -> None:
    table = list_models([Model(f"m{n}", None, None) for n in range(300)], "", "")
    assert len(table.rows) == 200
    assert "… and 100 more: " in table.note


PNG = b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAIAAAABCAIAAAB7QOjdAAAADElEQVR4nGNgYGAAAAAEAAH2FzhVAAAAAElFTkSuQmCC"
)

PICTURE = Message("user", (TextPart("<Look> "), ImagePart("image/png", PNG, "fig")))


def test_a_dry_run_shows_text_as_it_is_sent_and_images_by_their_sizes() -> None:
    request = Request("gpt-4o", (Message("system", "Be kind."), PICTURE), {"seed": 3})
    table = dry_run([request], "to x")
    shown = json.loads(table.rows[0][0])
    url = "data:image/png;base64,… (69 bytes of PNG, 2 × 1)"
    assert shown == {
        "model": "gpt-4o",
        "messages": [
            {"role": "system", "content": "Be kind."},
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "<Look> "},
                    {"type": "image_url", "image_url": {"url": url}},
                ],
            },
        ],
        "stream": True,
        "stream_options": {"include_usage": True},
        "seed": 3,
    }
    size = len(json.dumps(request.to_json(), separators=(",", ":")))
    assert table.note == (
        f"system: 8 characters; user: 7 characters, fig 69 bytes of PNG, 2 × 1; in all: {size} bytes"
    )


def test_an_image_without_a_size_still_has_bytes() -> None:
    message = Message("user", (ImagePart("image/gif", b"GIF89a"),))
    assert "0 characters, image 6 bytes of GIF; in all" in dry_run([Request("m", (message,))], "x").note


def test_a_dry_run_of_several_models_names_them() -> None:
    table = dry_run([Request(model, ()) for model in ("a", "b")], "to x")
    assert table.title == "Not sent: to x, for 2 models: a, b"
    assert json.loads(table.rows[0][0])["model"] == "a"


def test_status_names_the_source_of_the_key_and_never_the_key(
    start_kernel: Callable[..., Kernel],
) -> None:
    kernel = start_kernel(OPENAI_API_KEY="sk-made-up", METASK_MODLE="x")
    shown = kernel.run("%load_ext metask_magic\n%metask").displays[0]["data"]["text/plain"]
    assert "OPENAI_API_KEY" in shown
    assert "https://napi.origintask.cn/v1" in shown
    assert "did you mean METASK_MODEL?" in shown
    assert "SmolLM2-135M-Instruct, a very small model" in shown
    assert not kernel.has_sent("sk-made-up")


def test_login_and_logout(fresh_kernel: Kernel, gateway: GatewayServer) -> None:
    fresh_kernel.run(f"%load_ext metask_magic\n%config Metask.base_url = {gateway.base_url!r}")
    said = fresh_kernel.run("%metask login", inputs=[gateway.api_key, "n"]).text()
    assert "until the kernel ends" in said
    assert fresh_kernel.run("%metask gpt-4o-mini Hi").displays[0]["data"]["text/plain"] == "Hi"
    assert "there is no key any more" in fresh_kernel.run("%metask logout").text()
    assert (fresh_kernel.run("%metask gpt-4o-mini Hi").error or {})["ename"] == "MissingKeyError"
    assert not fresh_kernel.has_sent(gateway.api_key)


def test_help_and_options_are_shown(fresh_kernel: Kernel) -> None:
    fresh_kernel.run("%load_ext metask_magic")
    assert "%metask models" in fresh_kernel.run("%metask help").displays[0]["data"]["text/plain"]
    payload = str(fresh_kernel.run("%%metask?").reply["payload"])
    for option in ("--system", "--temperature", "--max-tokens", "--top-p", "--seed", "--param", "--out"):
        assert option in payload
    for option in ("--no-stream", "--quiet", "--raw", "--dry-run"):
        assert option in payload
