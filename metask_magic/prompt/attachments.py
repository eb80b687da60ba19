"""Attachments: what `-a WHAT` puts before the prompt, a variable of the notebook or a file.

A variable wins over a file of the same name; `./name` is always the file.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..errors import AttachmentError, PromptError
from ..language import _
from ..messages.request import Content, ImagePart, Part, TextPart, join_parts
from ..words import did_you_mean, nearest
from .figures import to_images
from .files import fenced, read_file
from .own_names import iter_own_names
from .sources import source_of
from .values import fitted, to_parts

_PATHS = ("./", "../", "/", "~")


def attach(what: str, namespace: Mapping[str, Any]) -> list[Part]:
    """Return what `-a what` stands for, under a line with its name.

    `what` is a variable, with attributes and items if need be (`result.figure`, `figs[0]`, `frames[north]`,
    where the bare word is a string: the option line has eaten its quotation marks), or else a path.

    Raises
    ------
    AttachmentError
        There is neither, or it cannot be attached.
    PromptError
        The variable is a picture that cannot be drawn here.

    """
    node = None if what.startswith(_PATHS) else _parse(what)
    if node is None or _root(node) not in namespace:
        return _from_path(what, namespace)
    try:
        value = _evaluate(node, namespace)
    except (AttributeError, KeyError, IndexError, TypeError) as error:
        if Path(what).exists():  # `notes.txt`, where `notes` is a variable too
            return _from_path(what, namespace)
        raise AttachmentError(
            _("There is no {what}: {kind}: {error}.", what=what, kind=type(error).__name__, error=error),
            _("Look at {name} in a cell of its own.", name=_root(node)),
        ) from None
    except Exception as error:
        raise _raised(what, error) from error
    return _from_variable(what, value)


def compose(prompt: Sequence[Part], attachments: Sequence[Part]) -> Content:
    """Return the content of the user's message: the attachments, then the prompt.

    In this order, because models answer better what comes after the material: Anthropic and Google advise
    it, and OpenAI takes either.
    """
    if not attachments:
        return join_parts(prompt)
    return join_parts([*attachments, TextPart("\n"), *prompt])


def _parse(what: str) -> ast.expr | None:
    """Read a name with attributes and items; None for anything else, a path among it."""
    try:
        node = ast.parse(what, mode="eval").body
    except (SyntaxError, ValueError):
        return None
    return node if _root(node) else None


def _root(node: ast.expr) -> str:
    """The name that everything else is looked up in; empty if `node` is anything more."""
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=inner, attr=name) if not name.startswith("__"):
            return _root(inner)
        case ast.Subscript(value=inner, slice=key) if _key(key) is not None:
            return _root(inner)
    return ""


def _key(node: ast.expr) -> str | int | None:
    match node:
        case ast.Constant(value=str() | int() as key):
            return key
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() as number)):
            return -number
        case ast.Name(id=name):
            return name
    return None


def _evaluate(node: ast.expr, namespace: Mapping[str, Any]) -> Any:
    match node:
        case ast.Attribute(value=inner, attr=name):
            return getattr(_evaluate(inner, namespace), name)
        case ast.Subscript(value=inner, slice=key):
            return _evaluate(inner, namespace)[_key(key)]
    return namespace[_root(node)]


def _from_variable(name: str, value: Any) -> list[Part]:
    try:
        parts = _variable_parts(name, value)
    except PromptError:
        raise
    except Exception as error:  # of a `_repr_…_` that is not ours
        raise _raised(name, error) from error
    return [TextPart(f"Variable {name} ({type(value).__name__}):\n\n"), *parts, TextPart("\n")]


def _variable_parts(name: str, value: Any) -> list[Part]:
    """The variable as in a prompt, but text between fences, and lists and dictionaries as JSON."""
    source = source_of(value)
    if source is not None:
        return [TextPart(fenced(fitted(source, name), "python"))]
    if isinstance(value, str):
        return [TextPart(fenced(fitted(value, name)))]
    if isinstance(value, dict | list) and not to_images(value, name):
        try:
            written = json.dumps(value, ensure_ascii=False, indent=2)
        except (TypeError, ValueError):  # something in it is no JSON
            return to_parts(value, name)
        return [TextPart(fenced(fitted(written, name), "json"))]
    return to_parts(value, name)


def _from_path(what: str, namespace: Mapping[str, Any]) -> list[Part]:
    try:
        path = Path(what).expanduser()
        exists = path.exists()
    except (OSError, ValueError, RuntimeError):  # too long, a null byte, no home of that user
        exists = False
    if not exists:
        raise _neither(what, namespace)
    part = read_file(path)
    if isinstance(part, ImagePart):
        return [TextPart(f"File {part.name}:\n\n"), part, TextPart("\n")]
    return [part]


def _neither(what: str, namespace: Mapping[str, Any]) -> AttachmentError:
    if any(sign in what for sign in "*?"):
        return AttachmentError(
            _("{what} is a pattern.", what=what), _("Attach files one by one, each with its own -a.")
        )
    variables = nearest(what, iter_own_names(namespace))
    near = did_you_mean([*variables, *_nearest_files(what)])
    return AttachmentError(
        _("{what} is neither a variable nor a file.", what=what),
        near or _("Paths are relative to {folder}.", folder=Path.cwd()),
    )


def _nearest_files(what: str) -> list[str]:
    try:
        path = Path(what).expanduser()
        names = nearest(path.name, (file.name for file in path.parent.iterdir()))
    except (OSError, ValueError, RuntimeError):
        return []
    return [str(path.parent / name) for name in names]


def _raised(what: str, error: Exception) -> AttachmentError:
    return AttachmentError(
        _(
            "{what} cannot be attached: it raised {kind}: {error}",
            what=what,
            kind=type(error).__name__,
            error=error,
        ),
        _("Look at {name} in a cell of its own.", name=what),
    )
