"""Loading the extension into a shell, and taking it out again."""

from __future__ import annotations

from typing import Any

from .. import language
from ..settings import Metask
from . import bodyless, full_width, question
from .magics import MetaskMagics


def load(shell: Any) -> None:
    """Register magics and settings. Loading again replaces nothing that the user has set."""
    if loaded(shell) is not None:
        return
    settings = next((c for c in shell.configurables if isinstance(c, Metask)), None)
    if settings is None:
        settings = Metask(parent=shell)
        shell.configurables.append(settings)
    magics = MetaskMagics(shell, settings)
    shell.register_magics(magics)
    magics.completion.register()
    magics.warm_up.register()
    full_width.register(shell)
    question.register(shell)
    bodyless.register(shell)


def unload(shell: Any) -> None:
    """End the network thread and the embedded model, and remove magics and settings."""
    magics = loaded(shell)
    if magics is None:
        return
    magics.completion.unregister()
    magics.warm_up.unregister()
    magics.close()
    language.choose("auto")
    bodyless.unregister(shell)
    question.unregister(shell)
    full_width.unregister(shell)
    for kind in ("line", "cell"):
        shell.magics_manager.magics[kind].pop("metask", None)
    shell.magics_manager.registry.pop(MetaskMagics.__name__, None)
    shell.configurables[:] = [c for c in shell.configurables if not isinstance(c, Metask | MetaskMagics)]


def loaded(shell: Any) -> MetaskMagics | None:
    """Return the magics of a shell that has them."""
    found = shell.magics_manager.registry.get(MetaskMagics.__name__)
    return found if isinstance(found, MetaskMagics) else None
