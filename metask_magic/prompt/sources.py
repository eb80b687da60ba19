"""The source of functions and classes, those of notebook cells too."""

from __future__ import annotations

import ast
import inspect
import linecache
from textwrap import dedent
from typing import Any


def source_of(value: Any) -> str | None:
    """Return the source of a function, method or class; None for anything else, or where there is none."""
    if not (isinstance(value, type) or inspect.isfunction(value) or inspect.ismethod(value)):
        return None
    try:
        return dedent(inspect.getsource(value))
    except (OSError, TypeError):
        return _class_in_cells(value) if isinstance(value, type) else None


def _class_in_cells(cls: type) -> str | None:
    """The class as it stands in the cell that made it, or in the newest one with a class of its name.

    `inspect` looks for a class in the file of its module, and a notebook's `__main__` has none; IPython
    keeps the cells in `linecache`, and a method knows which of them it is from.
    """
    own = [method.__code__.co_filename for method in vars(cls).values() if inspect.isfunction(method)]
    cells = [file for file in linecache.cache if "ipy" in file]
    qualname = cls.__qualname__
    for file in [*own, *reversed(cells)]:
        source = "".join(linecache.getlines(file))
        if f"class {qualname.rpartition('.')[2]}" not in source:
            continue
        found = _find_class(ast.parse(source), qualname.split("."))
        if found is not None:
            first = min([found.lineno, *(decorator.lineno for decorator in found.decorator_list)])
            return dedent("".join(source.splitlines(keepends=True)[first - 1 : found.end_lineno]))
    return None


def _find_class(tree: ast.Module | ast.ClassDef, path: list[str]) -> ast.ClassDef | None:
    classes = (node for node in reversed(tree.body) if isinstance(node, ast.ClassDef))
    found = next((node for node in classes if node.name == path[0]), None)
    return found if found is None or not path[1:] else _find_class(found, path[1:])
