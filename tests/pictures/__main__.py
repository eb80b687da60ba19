"""Make the pictures of README and the manual anew: JupyterLab in Chromium, with made-up replies.

    python -m tests.pictures [--only SCENE] [--to FOLDER]

Each scene is played in English and in Chinese, and taken in a light and a dark theme. Needs a Chromium and a
font for Chinese; the pictures that are in the repository were made with Noto's fonts (`apt-get install
chromium fonts-noto-core fonts-noto-mono fonts-noto-cjk`).
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import get_args

import pytest

from ..browser.chromium import find_chromium, launch_chromium
from ..browser.lab import Lab
from ..browser.server import JupyterServer
from ..gateway_server import GatewayServer
from .gallery import GALLERY, file_name, shrink
from .scenes import SCENES
from .stage import Shade, Stage, reads_chinese
from .words import LANGUAGES

SCALE = 1.5  # points of the screen for each of the page


def main() -> None:
    options = _parse()
    try:
        chromium = find_chromium()
    except (pytest.skip.Exception, pytest.fail.Exception) as missing:
        sys.exit(str(missing))
    options.to.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        context = stack.enter_context(launch_chromium(chromium, folder / "chromium", scale=SCALE))
        if not reads_chinese(context.pages[0]):
            sys.exit("No font for Chinese, whose characters would be empty boxes: install fonts-noto-cjk.")
        gateway = stack.enter_context(GatewayServer())
        asked = {"METASK_API_KEY": gateway.api_key, "METASK_BASE_URL": gateway.base_url}
        servers = {
            language: stack.enter_context(
                JupyterServer(folder / language, asked | {"METASK_LANGUAGE": language})
            )
            for language in LANGUAGES
        }
        lab = Lab(servers[LANGUAGES[0]], context)
        for language, server in servers.items():
            for scene in options.only or SCENES:
                with lab.at(server) as at_server:
                    _take(scene, Stage(at_server, gateway, language), options.to)


def _take(scene: str, stage: Stage, target: Path) -> None:
    stage.gateway.reset()
    shot = SCENES[scene](stage)
    for shade in get_args(Shade):
        path = target / file_name(scene, stage.language, shade)
        shot.take(shade, path)
        shrink(path)
        print(path)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.pictures")
    parser.add_argument("--only", action="append", choices=[*SCENES], metavar="SCENE")
    parser.add_argument("--to", type=Path, default=GALLERY, metavar="FOLDER")
    return parser.parse_args()


if __name__ == "__main__":
    main()
