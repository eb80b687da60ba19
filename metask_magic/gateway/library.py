"""The official library, imported without what no request of ours needs.

`import openai` spends most of its time on the packages that describe every endpoint's types. While it is
imported here, such a package is there at once, and its own `__init__` runs when a name of it is first asked
for: by us never, by the user's own code as if it had been imported before. Nothing of the library is
changed or left out, and where it is laid out otherwise one day it is imported as a whole.
"""

from __future__ import annotations

import importlib
import importlib.machinery
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import Loader, MetaPathFinder
from types import ModuleType
from typing import Any

LIBRARY = "openai"
DEFERRED = (f"{LIBRARY}.types", f"{LIBRARY}.lib")

_running = threading.local()


def import_library() -> Any:
    """Return the module `openai`."""
    if LIBRARY in sys.modules:
        return importlib.import_module(LIBRARY)
    with _deferring():
        return importlib.import_module(LIBRARY)


@contextmanager
def _deferring() -> Iterator[None]:
    finder = _Finder()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


class _Finder(MetaPathFinder):
    """Finds packages of types, and defers what they do when they are imported."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if not name.startswith(DEFERRED):
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path)
        if spec is None or spec.loader is None or spec.submodule_search_locations is None:
            return None
        spec.loader = _Deferring(spec.loader)
        return spec


class _Deferring(Loader):
    """Makes a package without running it."""

    def __init__(self, loader: Loader) -> None:
        self.loader = loader

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType | None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        module.__class__ = _Package


class _Package(ModuleType):
    """A package that runs when something in it is asked for.

    Two threads may run it at the same time: it only imports, and what is imported is there once. A lock
    would wait for those of the imports.
    """

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name != "__all__":
            said = f"module {self.__name__!r} has no attribute {name!r}"  # English: Python's own words
            raise AttributeError(said)
        if (submodule := self._submodule(name)) is not None:
            return submodule
        self._run()
        return getattr(self, name)

    def __dir__(self) -> list[str]:
        self._run()
        return list(ModuleType.__dir__(self))

    def _submodule(self, name: str) -> ModuleType | None:
        full = f"{self.__name__}.{name}"
        if importlib.machinery.PathFinder.find_spec(full, self.__path__) is None:
            return None
        return importlib.import_module(full)

    def _run(self) -> None:
        running: set[str] = _running.__dict__.setdefault("names", set())
        if self.__name__ in running:
            said = f"partially initialized module {self.__name__!r}"  # English: Python's own words
            raise AttributeError(said)
        running.add(self.__name__)
        try:
            self.__spec__.loader.loader.exec_module(self)  # type: ignore[union-attr]  # `_Deferring`
        finally:
            running.remove(self.__name__)
        self.__class__ = ModuleType  # type: ignore[assignment]  # as the language has it for modules
