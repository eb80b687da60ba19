"""What a model is told of a function: its description, and its parameters as JSON Schema."""

from __future__ import annotations

import functools
import inspect
import json
import typing
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from ..errors import ToolError
from ..language import N_, _, in_english
from ..messages.calls import unwrapped
from ..messages.kinds import JSON
from ..words import shorten

LONGEST_INPUT = 100

_REMEDY = N_("Write it as `def name(parameter: type, …)` with a docstring that says what it is for.")


class BadArgumentsError(Exception):
    """The arguments do not fit; the message tells the model why, and `say` the user."""

    def __init__(self, say: Callable[[], str]) -> None:
        super().__init__(in_english(say))
        self.say = say

    @classmethod
    def not_json(cls, text: str, error: Exception) -> Self:
        return cls(
            lambda: _(
                "the arguments are not JSON ({error}): {text}", error=error, text=shorten(text, LONGEST_INPUT)
            )
        )

    @classmethod
    def no_object(cls, text: str) -> Self:
        return cls(
            lambda: _("the arguments must be a JSON object, not {text}", text=shorten(text, LONGEST_INPUT))
        )

    @classmethod
    def misfits(cls, complaints: Callable[[], Iterable[str]]) -> Self:
        """Return the error for arguments of which each line of `complaints` says what does not fit."""
        return cls(lambda: "\n".join([_("the arguments do not fit."), *complaints()]))


@dataclass(frozen=True, slots=True)
class Signature:
    """How a function is called.

    `bind` makes positional and named arguments of JSON text, converted and checked; it raises
    `BadArgumentsError`.
    """

    description: str
    parameters: Mapping[str, JSON]
    bind: Callable[[str], tuple[tuple[Any, ...], dict[str, Any]]]


def read_signature(function: Callable[..., Any], name: str) -> Signature:
    """Read types and bounds from the type hints, descriptions from the docstring.

    A parameter without a hint takes any JSON. Raises `ToolError` where the function cannot be called with
    named JSON values.
    """
    hidden = set(function.keywords) if isinstance(function, functools.partial) else set()
    signature = _signature(function, name, hidden)
    hints = {
        parameter: hint
        for parameter, hint in _hints(function, name).items()
        if parameter in signature.parameters
    }
    description, described = _read_docstring(function)
    bind, schema = _validation(signature, hints, name)
    properties: Any = schema.get("properties", {})
    for parameter in described.keys() & properties.keys():
        properties[parameter].setdefault("description", described[parameter])
    return Signature(description, schema, bind)


def _signature(function: Callable[..., Any], name: str, hidden: set[str]) -> inspect.Signature:
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        raise ToolError(
            _("Python does not know the parameters of `{name}`.", name=name), _(_REMEDY)
        ) from None
    for parameter in signature.parameters.values():
        if parameter.kind in (parameter.POSITIONAL_ONLY, parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            raise ToolError(
                _(
                    "`{name}` has the parameter `{parameter}`, and a model can only pass values by name.",
                    name=name,
                    parameter=parameter,
                ),
                _("Give every parameter a name of its own, or wrap the function in one that does."),
            )
    shown = [parameter for parameter in signature.parameters.values() if parameter.name not in hidden]
    return signature.replace(parameters=shown, return_annotation=inspect.Signature.empty)


def _hints(function: Callable[..., Any], name: str) -> dict[str, Any]:
    annotated = _innermost(function)
    if not inspect.isroutine(annotated):
        annotated = type(annotated).__call__
    try:
        return typing.get_type_hints(annotated, include_extras=True)
    except (NameError, TypeError, SyntaxError) as error:
        raise ToolError(
            _("The type hints of `{name}` cannot be read: {error}.", name=name, error=error),
            _("Define or import what they name."),
        ) from None


def _innermost(function: Any) -> Any:
    """Return what partials and decorators stand for: it has the type hints and the docstring."""
    while True:
        if isinstance(function, functools.partial):
            function = function.func
        elif hasattr(function, "__wrapped__"):
            function = function.__wrapped__
        else:
            return function


def _validation(
    signature: inspect.Signature, hints: Mapping[str, Any], name: str
) -> tuple[Callable[[str], tuple[tuple[Any, ...], dict[str, Any]]], dict[str, JSON]]:
    """Return what checks the arguments, and their JSON Schema. The function itself is not called."""
    from pydantic import TypeAdapter, ValidationError
    from pydantic.errors import PydanticUserError

    def capture(*args: Any, **kwargs: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
        return args, kwargs

    capture.__signature__ = signature  # type: ignore[attr-defined]  # what `inspect` and Pydantic look at
    capture.__annotations__ = dict(hints)
    try:
        adapter: TypeAdapter[Any] = TypeAdapter(capture)  # type: ignore[arg-type]  # it takes functions too
        schema = adapter.json_schema(schema_generator=_schema_generator())
    except (PydanticUserError, NameError) as error:
        raise _unsuitable(hints, name, error) from None

    def bind(arguments: str) -> tuple[tuple[Any, ...], dict[str, Any]]:
        text = unwrapped(arguments) if arguments.strip() else "{}"
        try:
            if not isinstance(json.loads(text), dict):
                raise BadArgumentsError.no_object(text)
            bound: tuple[tuple[Any, ...], dict[str, Any]] = adapter.validate_json(text)
        except ValidationError as error:
            found = error.errors(include_url=False)
            raise BadArgumentsError.misfits(lambda: map(_complaint, found)) from None
        except (ValueError, RecursionError) as error:
            raise BadArgumentsError.not_json(text, error) from None
        return bound

    return bind, schema


def _complaint(error: Any) -> str:
    """What does not fit, in a line."""
    place, complaint = ".".join(map(str, error["loc"])) or _("arguments"), error["msg"]
    if error["type"].startswith("missing"):
        return _("- {place}: {complaint}", place=place, complaint=complaint)
    given = shorten(repr(error["input"]), LONGEST_INPUT)
    return _("- {place}: {complaint} (given: {given})", place=place, complaint=complaint, given=given)


def _schema_generator() -> Any:
    from pydantic.json_schema import GenerateJsonSchema

    class Plain(GenerateJsonSchema):
        """Without a title that repeats the name; a default that is no JSON is left out in silence."""

        def field_title_should_be_set(self, schema: Any) -> bool:
            return False

        def emit_warning(self, kind: Any, detail: str) -> None:
            pass

    return Plain


def _unsuitable(hints: Mapping[str, Any], name: str, error: Exception) -> ToolError:
    """Say which parameter it is that has no JSON Schema, and why where Pydantic has advice."""
    from pydantic import TypeAdapter
    from pydantic.errors import PydanticInvalidForJsonSchema, PydanticSchemaGenerationError, PydanticUserError

    for parameter, hint in hints.items():
        try:
            TypeAdapter(hint).json_schema()
        except (PydanticSchemaGenerationError, PydanticInvalidForJsonSchema):
            return ToolError(
                _(
                    "The parameter `{parameter}` of `{name}` is a {kind}, which no JSON can stand for.",
                    parameter=parameter,
                    name=name,
                    kind=inspect.formatannotation(hint),
                ),
                _("Let it take text, numbers, lists, dicts or a Pydantic model."),
            )
        except (PydanticUserError, NameError) as reason:
            return ToolError(
                _(
                    "The type of the parameter `{parameter}` of `{name}` cannot be used.",
                    parameter=parameter,
                    name=name,
                ),
                str(reason).splitlines()[0],
            )
    said = str(error).splitlines()[0]
    return ToolError(_("`{name}` cannot be described to a model.", name=name), said)


def _read_docstring(function: Callable[..., Any]) -> tuple[str, dict[str, str]]:
    """Return the whole docstring, and what it says of each parameter."""
    import docstring_parser

    text = inspect.getdoc(_innermost(function)) or ""
    try:
        parsed = docstring_parser.parse(text)
    except docstring_parser.ParseError:
        return text, {}
    return text, {
        item.arg_name: " ".join(item.description.split()) for item in parsed.params if item.description
    }
