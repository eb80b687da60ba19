"""metask-magic: language models in a notebook cell.

%load_ext metask_magic

%%metask gpt-4o-mini
Tell me a short story about {{ hero }}.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .chat.reply import CodeBlock, Reply
    from .errors import Interrupted, MetaskError
    from .messages.events import Usage
    from .messages.request import ToolCall
    from .notebook.mapping import map as map  # given away by `__getattr__`, not by `*`
    from .notebook.mapping import retry_failed
    from .notebook.trial import trial as trial  # the same: a variable is often called so
    from .settings import Metask
    from .trials.trial import Trial

__all__ = [
    "CodeBlock",
    "Interrupted",
    "Metask",
    "MetaskError",
    "Reply",
    "ToolCall",
    "Trial",
    "Usage",
    "load_ipython_extension",
    "retry_failed",
    "unload_ipython_extension",
]

# Without `map`: after `from metask_magic import *` Python's own should still be there. Nor `trial`, which
# notebooks call what comes of it.
_HOMES = {
    "CodeBlock": "chat.reply",
    "Interrupted": "errors",
    "Metask": "settings",
    "MetaskError": "errors",
    "Reply": "chat.reply",
    "ToolCall": "messages.request",
    "map": "notebook.mapping",
    "retry_failed": "notebook.mapping",
    "trial": "notebook.trial",
    "Trial": "trials.trial",
    "Usage": "messages.events",
}


def __getattr__(name: str) -> Any:
    # Imported when first used, so that loading the extension stays a matter of milliseconds.
    if name in _HOMES:
        return getattr(import_module(f".{_HOMES[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")  # English: Python's own words


def load_ipython_extension(shell: Any) -> None:
    """Register the magics and the settings: `%load_ext metask_magic`. Silent; no network, no files."""
    from .notebook.extension import load

    load(shell)


def unload_ipython_extension(shell: Any) -> None:
    """Take everything back: `%unload_ext metask_magic`."""
    from .notebook.extension import unload

    unload(shell)
