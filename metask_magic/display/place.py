"""The place of a cell's output, also for what comes while other cells run."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any


class Place:
    """Where the cell that runs now puts its output: make one in the cell, use it in the cell's context.

    Which cell an output belongs to is known by the thread's context. But a cell that runs meanwhile may have
    put something else in the place of stdout, stderr and the publisher of displays (`%%capture`,
    `redirect_stdout`), so those of the asking cell are kept.
    """

    def __init__(self) -> None:
        from IPython.core.interactiveshell import InteractiveShell

        self.stdout, self.stderr = sys.stdout, sys.stderr
        shell: Any = InteractiveShell.instance() if InteractiveShell.initialized() else None
        self._publisher: Any = shell and shell.display_pub
        self.cell = id_of_cell(shell)

    def display(
        self, bundle: Mapping[str, Any], metadata: Mapping[str, Any], display_id: str | None = None
    ) -> None:
        """Publish an output; with an id it can be replaced later."""
        from IPython.display import display

        if self._publisher is None:
            display(bundle, raw=True, metadata=metadata, display_id=display_id)
        else:
            self._publisher.publish(data=bundle, metadata=metadata, transient=_transient(display_id))

    def replace(self, display_id: str, bundle: Mapping[str, Any], metadata: Mapping[str, Any]) -> None:
        """Put another output in the place of the one with this id."""
        if self._publisher is not None:
            self._publisher.publish(
                data=bundle, metadata=metadata, transient=_transient(display_id), update=True
            )

    def say(self, text: str) -> None:
        """Print lines to stderr, for the person alone."""
        print(text, file=self.stderr, flush=True)


def id_of_cell(shell: Any) -> str:
    """Return the id of the cell that runs, "" where the front end has sent none or there is no kernel.

    JupyterLab, Notebook 7 and VS Code send it; it is convention, not protocol.
    """
    kernel = getattr(shell, "kernel", None)
    parent = kernel.get_parent("shell") if kernel is not None else {}
    return str((parent.get("metadata") or {}).get("cellId") or "")


def _transient(display_id: str | None) -> dict[str, str]:
    return {"display_id": display_id} if display_id else {}
