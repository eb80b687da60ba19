"""What a server gave back, as what a model is handed."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from metask_magic.language import using
from metask_magic.mcp.results import MOST_IMAGES, to_result
from metask_magic.tools.offered import ToolResult

from .hostile import PIXEL


def block(kind: str, **fields: Any) -> Any:
    return SimpleNamespace(type=kind, **fields)


def text(said: str) -> Any:
    return block("text", text=said)


def image(data: str = PIXEL, kind: str = "image/png") -> Any:
    return block("image", data=data, mime_type=kind)


def result(*blocks: Any, structure: Any = None, failed: bool = False) -> ToolResult:
    given = SimpleNamespace(content=[*blocks], structured_content=structure, is_error=failed)
    return to_result(given, lambda said: said.replace("made-up", "[KEY]"))


@pytest.mark.parametrize(
    ("blocks", "structure", "told"),
    [
        ([text("a"), text("b")], None, "a\nb"),
        ([], {"n": 1}, '{"n": 1}'),
        ([text('{"n":1}')], {"n": 1}, '{"n":1}'),
        ([text("report")], {"content": "report"}, "report"),
        ([text("5")], {"result": 5}, "5"),
        ([text("a"), text("b")], {"result": ["a", "b"]}, "a\nb"),
        ([text("It rains.")], {"sky": "grey", "degrees": 9}, 'It rains.\n{"sky": "grey", "degrees": 9}'),
        ([text("none")], None, "none"),
        ([], None, ""),
        ([text("made-up")], None, "[KEY]"),
        ([block("hologram")], None, "[content of the kind hologram, which is not handed on]"),
        ([image("???")], None, "[image/png that is not base64, and is not handed on]"),
        ([image("AAAA", "image/tiff")], None, "[3 bytes of the type image/tiff, which are not handed on]"),
        (
            [block("audio", mime_type="audio/wav")],
            None,
            "[audio of the type audio/wav, which is not handed on]",
        ),
    ],
)
def test_text(blocks: list[Any], structure: Any, told: str) -> None:
    """In any language: a model reads it, and a recording keeps it."""
    assert result(*blocks, structure=structure) == ToolResult(told)
    with using("zh"):
        assert result(*blocks, structure=structure) == ToolResult(told)


def test_a_failure_says_that_it_is_one() -> None:
    assert result(text("no such city"), failed=True) == ToolResult("Error: no such city", failed=True)
    assert result(text("Error: no"), failed=True).text == "Error: no"


def test_images_are_apart_and_not_too_many() -> None:
    given = result(text("Here."), *[image()] * (MOST_IMAGES + 2))
    assert len(given.images) == MOST_IMAGES
    assert given.text == "Here.\n[2 more images were left out]"


def test_an_image_too_large_is_told_in_english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("metask_magic.prompt.images.IMAGE_LIMIT", 10)
    with using("zh"):
        assert result(image()).text == "[The image of image has 0.1 MB; the limit is 0.1 MB.]"


def test_long_text_is_cut_with_a_note() -> None:
    assert result(text("x" * 50_000)).text.endswith("\n… (cut here: 50,000 characters in all)")
