"""A schema: what an answer must look like, said to the model, and checked when the answer is there."""

from __future__ import annotations

import inspect
import json
import re
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..errors import SchemaError
from ..language import N_, _, ngettext, using
from ..messages.kinds import JSON
from ..words import shorten
from .json_text import find_json
from .strict import WRAPPED, iter_references, prune, resolve, to_strict, wrap
from .typed_dict import of_today

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

MOST_ERRORS = 5
LONGEST_ERROR = 200
LONGEST_QUOTE = 60
ALLOWED = N_(
    "A schema is a Pydantic model, a dataclass, a TypedDict, a type such as list[int], or a JSON Schema as a "
    "dict: give the class itself."
)

_KEYWORDS = frozenset({
    "type", "properties", "items", "enum", "const", "anyOf", "oneOf", "allOf", "not", "if", "$ref",
    "required", "additionalProperties", "patternProperties", "prefixItems", "minimum", "maximum", "pattern",
    "minLength", "maxLength", "minItems", "maxItems",
})  # fmt: skip


class MisfitError(SchemaError):
    """A text that does not fit; `errors` says where, a line each, and `english` the same for the model.

    `tell` says what is wrong, in the current language.
    """

    def __init__(self, name: str, tell: Callable[[], Sequence[str]]) -> None:
        errors = tell()
        self.errors = _shown(errors)
        with using("en"):
            self.english = _shown(tell())
        self.summary = ngettext(
            "The answer does not fit {name}: {count} error",
            "The answer does not fit {name}: {count} errors",
            len(errors),
            name=name,
        )
        opening = _("{summary}:", summary=self.summary)
        super().__init__("".join([opening, *(f"\n    {error}" for error in self.errors)]))


def _shown(errors: Sequence[str]) -> tuple[str, ...]:
    shown = [*map(_readable, errors[:MOST_ERRORS])]
    more = len(errors) - len(shown)
    return (*shown, *([_("and {count} more", count=more)] if more else []))


@dataclass(frozen=True, slots=True)
class Schema:
    """What an answer must look like.

    Attributes
    ----------
    name
        What it is called, to the model and in errors.
    response_format
        The request's parameter of that name, as the API takes it.
    json_schema
        The schema the model is told, with an object at its root; None where any JSON will do.

    """

    name: str
    response_format: Mapping[str, JSON]
    json_schema: Mapping[str, JSON] | None
    _check: Callable[[Any], Any]

    @classmethod
    def from_object(cls, kind: Any, name: str) -> Schema:
        """Make a schema of a Pydantic model, a dataclass, a TypedDict, any type, or a JSON Schema as a dict.

        `name` is what the user calls it.

        Raises
        ------
        SchemaError
            It is none of these, or says something that is no JSON Schema.

        """
        described, check = (
            _from_json_schema(kind, name) if isinstance(kind, Mapping) else _from_type(kind, name)
        )
        root, wrapped = wrap(described)
        strict = to_strict(root)
        sent: JSON = root if strict is None else strict
        response_format: Mapping[str, JSON] = {
            "type": "json_schema",
            "json_schema": {"name": _api_name(name), "strict": strict is not None, "schema": sent},
        }

        def check_wrapped(value: Any) -> Any:
            if wrapped and not (isinstance(value, dict) and set(value) == {WRAPPED}):
                value = {WRAPPED: value}
            try:
                return check(value[WRAPPED] if wrapped else value)
            except _MisfitsError:
                pruned = prune(value, root, root)
                if pruned == value:
                    raise
                return check(pruned[WRAPPED] if wrapped else pruned)

        return cls(name, response_format, strict or root, check_wrapped)

    def validate(self, text: str) -> Any:
        """Return what a reply's text stands for: an instance of the class, or the plain value.

        Raises
        ------
        SchemaError
            It does not fit (`MisfitError`), or a validator of the user's own failed.

        """
        try:
            value = find_json(text)
        except ValueError:
            raise MisfitError(self.name, lambda: _why_no_json(text)) from None
        try:
            return self._check(value)
        except _MisfitsError as misfits:
            raise MisfitError(self.name, misfits.tell) from None
        except Exception as error:
            raise SchemaError(
                _("Validating the answer raised {kind}: {error}", kind=type(error).__name__, error=error),
                _(
                    "Correct the validators of {name}: they report a wrong value by a ValueError.",
                    name=self.name,
                ),
            ) from error


def _why_no_json(text: str) -> list[str]:
    try:
        find_json(text)
    except ValueError as error:
        return [str(error)]
    return []


class _MisfitsError(Exception):
    """A value that does not fit; `tell` says where, in the current language."""

    def __init__(self, tell: Callable[[], Sequence[str]]) -> None:
        super().__init__()
        self.tell = tell


Checked = tuple[Mapping[str, Any], Callable[[Any], Any]]


def _from_type(kind: Any, name: str) -> Checked:
    if not isinstance(kind, type) and typing.get_origin(kind) is None:
        said = _("{name} is {what}, which is no schema.", name=name, what=_described(kind))
        raise SchemaError(said, _(ALLOWED))
    from pydantic import TypeAdapter, ValidationError
    from pydantic.errors import PydanticUndefinedAnnotation, PydanticUserError

    try:
        adapter: TypeAdapter[Any] = TypeAdapter(of_today(kind))
        described = adapter.json_schema()
    except (PydanticUserError, PydanticUndefinedAnnotation, NameError, TypeError) as error:
        raise SchemaError(
            _("{name} is no schema: {why}.", name=name, why=_first_line(error)), _(ALLOWED)
        ) from None

    def check(value: Any) -> Any:
        try:
            # As JSON: there a date is a string, and a tuple a list.
            return adapter.validate_json(json.dumps(value))
        except ValidationError as error:
            errors = error.errors(include_url=False)
            raise _MisfitsError(lambda: [_line(found) for found in errors]) from None

    return _plain(described), check


def _line(found: ErrorDetails) -> str:
    place = ".".join(str(part) for part in found["loc"]) or _("the answer")
    if found["type"] == "missing":
        return f"{place}: {found['msg']}"
    return _("{place}: {error} (got {value})", place=place, error=found["msg"], value=_quoted(found["input"]))


def _from_json_schema(kind: Mapping[Any, Any], name: str) -> Checked:
    from jsonschema.exceptions import best_match

    described, validator_class = _valid(kind, name)
    validator = validator_class(described, format_checker=validator_class.FORMAT_CHECKER)

    def check(value: Any) -> Any:
        found = sorted(validator.iter_errors(value), key=lambda error: [*map(str, error.absolute_path)])
        errors = [_placed(best_match([error])) for error in found]
        if errors:
            raise _MisfitsError(lambda: errors)
        return value

    return described, check


def _valid(kind: Mapping[Any, Any], name: str) -> tuple[dict[str, Any], Any]:
    """Return a JSON Schema as it would be written down, and the validator of its draft.

    Raises `SchemaError` where it is none.
    """
    from jsonschema.exceptions import SchemaError as InvalidSchema
    from jsonschema.validators import Draft202012Validator, validator_for

    if kind and not _KEYWORDS & kind.keys():
        raise SchemaError(
            _(
                "{name} is a dict, but no JSON Schema: it has none of its keywords, such as type or "
                "properties.",
                name=name,
            ),
            _(ALLOWED),
        )
    try:
        described = _plain(kind)
        validator_class = validator_for(described, default=Draft202012Validator)
        validator_class.check_schema(described)
        for reference in iter_references(described):
            resolve(reference, described)
    except InvalidSchema as error:
        raise SchemaError(
            _("{name} is no valid JSON Schema: {why}.", name=name, why=_placed(error)), _(ALLOWED)
        ) from None
    except LookupError:
        raise SchemaError(
            _(
                "{name} is no valid JSON Schema: it refers to {reference}, which it does not have.",
                name=name,
                reference=reference,
            ),
            _("Put it under $defs and refer to #/$defs/NAME."),
        ) from None
    except (TypeError, ValueError) as error:
        raise SchemaError(
            _("{name} is no JSON Schema: {why}.", name=name, why=_first_line(error)), _(ALLOWED)
        ) from None
    return described, validator_class


def _placed(error: Any) -> str:
    place = ".".join(str(part) for part in error.absolute_path)
    return f"{place}: {error.message}" if place else str(error.message)


def _plain(schema: Mapping[Any, Any]) -> dict[str, Any]:
    """Return the schema as it would be written down; raises `TypeError` where it cannot be."""
    plain: dict[str, Any] = json.loads(json.dumps(schema, allow_nan=False))
    return plain


def _api_name(name: str) -> str:
    return re.sub(r"[^a-zA-Z0-9_-]", "_", name)[:64] or "answer"


def _described(kind: Any) -> str:
    """Say what something is that was taken for a schema."""
    if inspect.isroutine(kind):
        return _("a function")
    return _("an instance of {kind}", kind=type(kind).__name__)


def _quoted(value: Any) -> str:
    return shorten(json.dumps(value, ensure_ascii=False, default=str), LONGEST_QUOTE)


def _readable(error: str) -> str:
    """One printable line: a model's words are in it."""
    line = "".join(_iter_printable(" ".join(error.split())))
    return shorten(line, LONGEST_ERROR)


def _iter_printable(line: str) -> Iterator[str]:
    for character in line:
        yield character if character.isprintable() else character.encode("unicode_escape").decode()


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0].rstrip(".")


ANY_JSON = Schema("JSON", {"type": "json_object"}, None, lambda value: value)
"""The schema of `-f json`: whatever parses."""
