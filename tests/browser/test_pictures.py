"""A scene of the pictures, played and taken: what `python -m tests.pictures` does for each."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from ..gateway_server import GatewayServer
from ..pictures.gallery import shrink
from ..pictures.scenes import error
from ..pictures.stage import WIDTH, Stage
from .lab import Lab


@pytest.mark.nightly
def test_a_scene_is_taken_in_light_and_in_dark(lab: Lab, gateway: GatewayServer, tmp_path: Path) -> None:
    shot = error(Stage(lab, gateway, "en"))
    brightness = []
    for shade in ("light", "dark"):
        path = tmp_path / f"{shade}.png"
        shot.take(shade, path)
        shrink(path)
        with Image.open(path) as image:
            assert image.width == WIDTH
            assert image.height > 100
            brightness.append(sum(image.convert("L").resize((1, 1)).tobytes()))
    assert brightness[0] > brightness[1]
