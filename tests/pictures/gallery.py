"""The files: which there are, what they are called, and how they are kept small."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import numpy as np
from PIL import Image

from ..kernel import ROOT
from .scenes import SCENES
from .stage import Shade
from .words import LANGUAGES, Language

GALLERY = ROOT / "docs" / "pictures"
COLOURS = 128


def file_name(scene: str, language: Language, shade: Shade) -> str:
    return f"{scene}.{language}.{shade}.png"


def iter_names() -> Iterator[str]:
    """Yield the name of every picture."""
    for scene in SCENES:
        for language in LANGUAGES:
            for shade in get_args(Shade):
                yield file_name(scene, language, shade)


def shrink(path: Path) -> None:
    """Write a picture anew with few colours: a page of text has no more.

    They are chosen for what they cover, not for how often they are there: else a status light, which is a few
    points large, would turn grey. Then each gives way to the one it most often stands for: white stays white.
    """
    with Image.open(path) as image:
        full = image.convert("RGB")
    small = full.quantize(COLOURS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    points = np.asarray(full).astype(np.uint32) @ np.array([1 << 16, 1 << 8, 1], np.uint32)
    pairs, counts = np.unique(np.asarray(small).astype(np.uint32) << 24 | points, return_counts=True)
    pairs = pairs[np.argsort(counts)]  # the most frequent one last: it stays
    palette = np.zeros((COLOURS, 3), np.uint8)
    palette[pairs >> 24] = np.stack([pairs >> 16 & 255, pairs >> 8 & 255, pairs & 255], axis=1)
    small.putpalette(palette.tobytes())
    small.save(path, optimize=True)
