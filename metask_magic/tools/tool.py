"""Tools: functions of the notebook that the model may call."""

from __future__ import annotations

import asyncio
import inspect
import re
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, is_dataclass
from functools import partial
from typing import Any

from ..asking import coroutines
from ..errors import ToolError
from ..language import _
from ..messages.kinds import JSON
from ..messages.request import ToolCall
from .offered import Occasion, ToolResult
from .signature import BadArgumentsError, Signature, read_signature

RESULT_LIMIT = 40_000  # characters; about ten thousand tokens

_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")


def _always() -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Tool:
    """A function, and what the model is told of it. `to_text` writes values that are no JSON."""

    name: str
    signature: Signature
    function: Callable[..., Any]
    to_text: Callable[[Any], str]

    @classmethod
    def from_function(cls, function: Any, name: str, to_text: Callable[[Any], str] = str) -> Tool:
        """Read a function, method, partial or callable object, asynchronous or not.

        Raises
        ------
        ToolError
            It cannot be a tool.

        """
        _check(function, name)
        return cls(name, read_signature(function, name), function, to_text)

    def to_json(self) -> Mapping[str, JSON]:
        """The tool as the API takes it."""
        described: dict[str, JSON] = {"name": self.name}
        if self.signature.description:
            described["description"] = self.signature.description
        return {"type": "function", "function": described | {"parameters": dict(self.signature.parameters)}}

    async def run(self, call: ToolCall, occasion: Occasion) -> AsyncIterator[ToolResult]:
        """Call it in the cell's thread (see `OfferedTool.run`)."""
        confirm = occasion.confirm
        allow = partial(confirm, call) if confirm is not None else _always
        try:
            yield await occasion.errands.call(partial(self.call, call.arguments, allow))
        except asyncio.CancelledError:
            if occasion.errands.left_behind:
                yield ToolResult.failure(
                    lambda: _("Stopped, but the function could not be: it goes on to its end.")
                )
            raise

    def call(self, arguments: str, allow: Callable[[], bool] = _always) -> ToolResult:
        """Call it with JSON text, in this thread, if `allow` agrees.

        What is wrong with the arguments, and what the function raises, is told to the model: it can do
        better. Only a `KeyboardInterrupt`, and what `allow` raises, are raised here.
        """
        try:
            args, kwargs = self.signature.bind(arguments)
        except BadArgumentsError as error:
            return misfit(error)
        except Exception as error:  # noqa: BLE001 -- a validator of the user's
            return _failure(error)
        if not allow():
            return declined()
        try:
            result = self.function(*args, **kwargs)
            if inspect.isawaitable(result):
                result = coroutines.run(result)
            return ToolResult(cut(self._write(result)))
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001 -- `sys.exit()` in a tool too is only the tool's end
            return _failure(error)

    def _write(self, result: Any) -> str:
        """Return text as it is, what is JSON as JSON, and the rest as `to_text` writes it."""
        if isinstance(result, str):
            return result
        from pydantic_core import to_json

        try:
            return to_json(result, fallback=None if _is_whole(result) else self._write_part).decode()
        except (ValueError, RecursionError):
            return self.to_text(result)

    def _write_part(self, value: Any) -> Any:
        """Return a value within others as JSON: the number in a NumPy scalar, else text."""
        return value.item() if getattr(value, "shape", None) == () else self.to_text(value)


def _is_whole(value: Any) -> bool:
    """Whether a value that is no JSON is best written as one text, and not part by part."""
    return not isinstance(value, dict | list | tuple | set) and not is_dataclass(value)


def _check(function: Any, name: str) -> None:
    remedy = _("A tool is a function with type hints and a docstring.")
    if isinstance(function, type):
        raise ToolError(_("`{name}` is a class.", name=name), remedy)
    if not callable(function):
        kind = type(function).__name__
        raise ToolError(
            _("`{name}` is no function but a value of the type {kind}.", name=name, kind=kind), remedy
        )
    if getattr(function, "__name__", "") == "<lambda>":
        raise ToolError(_("`{name}` is a lambda, which says nothing of what it is for.", name=name), remedy)
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        raise ToolError(
            _("`{name}` yields its results.", name=name), _("A tool returns its result: a list, say.")
        )
    if not _NAME.fullmatch(name):
        raise ToolError(
            _("`{name}` cannot be the name of a tool.", name=name),
            _("The API takes up to 64 of the characters a-z, A-Z, 0-9, _ and -."),
        )


def declined() -> ToolResult:
    """Return the result of a call that the user did not allow."""
    return ToolResult.failure(lambda: _("The user declined this call."))


def misfit(error: BadArgumentsError) -> ToolResult:
    """Return the result of a call with arguments that do not fit."""
    return ToolResult.failure(lambda: cut(_("Error: {why}", why=error.say())))


def _failure(error: BaseException) -> ToolResult:
    return ToolResult(cut(f"Error: {type(error).__name__}: {error}"), failed=True)


def cut(text: str) -> str:
    """Return at most `RESULT_LIMIT` characters, all of which can be sent, and a note of what is missing."""
    sendable = text[:RESULT_LIMIT].encode("utf-8", "replace").decode()
    if len(text) <= RESULT_LIMIT:
        return sendable
    return f"{sendable}\n… (cut here: {len(text):,} characters in all)"  # English: a model reads it
