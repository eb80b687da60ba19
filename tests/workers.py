"""Which worker of xdist runs which file."""

from __future__ import annotations

from xdist.scheduler import LoadFileScheduling
from xdist.workermanage import WorkerController

BROWSERS = 2  # how many workers run the browser's tests: each has a Jupyter server and a Chromium to start


class Schedule(LoadFileScheduling):  # type: ignore[misc]  # xdist ships no types
    """A file stays with one worker, and the browser's files with few as long as there are others.

    They keep the processors busy, and a kernel's tests wait: side by side neither lies idle.
    """

    def _assign_work_unit(self, node: WorkerController) -> None:
        has_browser = node in self.nodes[:BROWSERS]
        for file in self.workqueue:
            if file.startswith("tests/browser/") == has_browser:
                self.workqueue.move_to_end(file, last=False)
                break
        super()._assign_work_unit(node)
