"""Python's cyclic garbage collector, while many rows are asked."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

YOUNG_OBJECTS = 50_000
"""How many objects there may be anew before the collector looks at them."""


@contextmanager
def seldom_collecting() -> Iterator[None]:
    """Within it the collector runs seldom; it stays off where the user has turned it off.

    Every row makes hundreds of objects and, as measured, no cycle among them: at the usual threshold of some
    hundred objects all that a notebook holds is looked through again and again for nothing.
    """
    young, *older = gc.get_threshold()
    if 0 < young < YOUNG_OBJECTS:
        gc.set_threshold(YOUNG_OBJECTS, *older)
    try:
        yield
    finally:
        gc.set_threshold(young, *older)
