"""A JSON Schema in the part of the language that OpenAI's strict mode takes.

Strict mode binds what the model may write to the schema. It wants an object at the root, every property
required and nothing additional, and knows a part of the keywords only
(https://platform.openai.com/docs/guides/structured-outputs#supported-schemas). What is lost on the way is
said in descriptions, for the model to read, and holds all the same: replies are validated against the
schema as it was.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

WRAPPED = "value"
"""The property that holds a value which is no object."""

_ONE = frozenset({"items", "additionalProperties", "not", "if", "then", "else", "contains", "propertyNames"})
_MANY = frozenset({"anyOf", "oneOf", "allOf", "prefixItems"})
_NAMED = frozenset({"properties", "$defs", "definitions", "patternProperties", "dependentSchemas"})
_ALTERNATIVES = frozenset({"anyOf", "oneOf", "allOf"})
_KEPT = frozenset({
    "type", "title", "description", "enum", "const", "multipleOf", "minimum", "maximum", "exclusiveMinimum",
    "exclusiveMaximum", "minItems", "maxItems",
})  # fmt: skip
_SILENT = frozenset({
    "default", "discriminator", "definitions", "$defs", "$schema", "$id", "$comment", "deprecated",
    "readOnly", "writeOnly",
})  # fmt: skip
_INEXPRESSIBLE = frozenset({
    "not", "if", "then", "else", "dependentRequired", "dependentSchemas", "patternProperties", "prefixItems",
    "additionalItems", "unevaluatedItems", "unevaluatedProperties", "$anchor", "$dynamicRef", "$recursiveRef",
})  # fmt: skip
_FORMATS = frozenset({
    "date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid",
})  # fmt: skip
_LOOKAROUND = re.compile(r"\(\?(?:[=!]|<[=!])")
_TYPES: Mapping[type, str] = {
    str: "string", bool: "boolean", int: "integer", float: "number", type(None): "null", list: "array",
    dict: "object",
}  # fmt: skip


class _InexpressibleError(Exception):
    """Strict mode has no way to say it."""


def wrap(schema: Mapping[str, Any]) -> tuple[dict[str, Any], bool]:
    """Return a schema with an object at its root, and whether the value had to become a property of it."""
    root = _with_own_root(_move_definitions(schema))
    if root.get("type") == "object" and not _ALTERNATIVES & root.keys():
        return root, False
    inner = _map_references(
        root, lambda ref: ref if ref.startswith("#/$defs/") else f"#/properties/{WRAPPED}{ref[1:]}"
    )
    definitions = inner.pop("$defs", None)
    wrapped = {
        "type": "object",
        "properties": {WRAPPED: inner},
        "required": [WRAPPED],
        "additionalProperties": False,
    }
    return wrapped | ({"$defs": definitions} if definitions else {}), True


def to_strict(root: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return a schema from `wrap` as strict mode takes it, or None where it has no way to say it.

    Properties that may be left out become required; one without a default may be null instead, and
    `prune` takes those nulls out of the reply.
    """
    try:
        strict = _Strict(root)
        definitions = {name: strict.node(node) for name, node in root.get("$defs", {}).items()}
        plain = strict.node({name: value for name, value in root.items() if name != "$defs"})
    except _InexpressibleError:
        return None
    return plain | ({"$defs": definitions} if definitions else {})


def prune(value: Any, schema: Any, root: Mapping[str, Any]) -> Any:
    """Return the value without the nulls that stand for properties left out."""
    branches = list(_iter_branches(schema, root))
    if isinstance(value, list):
        items = next((branch["items"] for branch in branches if "items" in branch), True)
        return [prune(item, items, root) for item in value]
    if not isinstance(value, dict):
        return value
    known: dict[str, Any] = {}
    omitted: set[str] = set()
    for branch in branches:
        properties = branch.get("properties", {})
        known |= properties
        omitted |= {
            name for name in value if value[name] is None and _may_stand_for_nothing(name, branch, root)
        }
    return {
        name: prune(inner, known.get(name, True), root)
        for name, inner in value.items()
        if name not in omitted
    }


def iter_references(schema: Any) -> Iterator[str]:
    """Yield what every `$ref` refers to."""
    for node in _iter_nodes(schema):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]


def resolve(reference: str, root: Mapping[str, Any]) -> Any:
    """Return what a reference within the schema refers to; raises `LookupError` where there is nothing."""
    if not (reference == "#" or reference.startswith("#/")):
        raise LookupError(reference)
    found: Any = root
    for part in reference.split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        found = found[int(name)] if isinstance(found, list) and name.isdecimal() else _member(found, name)
    return found


def _member(found: Any, name: str) -> Any:
    if not isinstance(found, Mapping):
        raise LookupError(name)
    return found[name]


class _Strict:
    def __init__(self, root: Mapping[str, Any]) -> None:
        self._root = root
        self._open: frozenset[str] = frozenset()  # the references whose schemas are being put in their place

    def node(self, schema: Any) -> dict[str, Any]:
        """Return one schema, with those within it, as strict mode takes it."""
        opened = self._open
        strict = self._plain(self._merged(schema))
        self._open = opened
        return strict

    def _plain(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        if "$ref" in schema:
            return dict(schema)
        strict = {name: value for name, value in schema.items() if name in _KEPT}
        alternatives = schema.get("anyOf") or schema.get("oneOf") or []
        types = _types(schema)
        if types:
            strict["type"] = types[0] if len(types) == 1 else types
        elif not alternatives:
            raise _InexpressibleError
        if alternatives:
            strict["anyOf"] = [self.node(alternative) for alternative in alternatives]
        if "object" in types:
            strict |= self._object(schema)
        if "array" in types:
            strict["items"] = self.node(schema.get("items", True))
        return strict | _say_the_rest(schema, strict)

    def _merged(self, schema: Any) -> Mapping[str, Any]:
        """Take in a reference or a single `allOf` that has siblings: strict mode wants it alone."""
        while True:
            if not isinstance(schema, Mapping) or _INEXPRESSIBLE & schema.keys():
                raise _InexpressibleError
            if len(_ALTERNATIVES & schema.keys()) > 1 or len(schema.get("allOf", "1")) > 1:
                raise _InexpressibleError
            own = {name: value for name, value in schema.items() if name not in _SILENT}
            if "$ref" in own:
                reference = own.pop("$ref")
                if _in_definitions(reference) and (not own or reference in self._open):
                    return {"$ref": reference}
                if reference in self._open:
                    raise _InexpressibleError
                self._open |= {reference}
                target = resolve(reference, self._root)
            elif "allOf" in own:
                (target,) = own.pop("allOf")
            else:
                return own
            schema = {**target, **own} if isinstance(target, Mapping) else target

    def _object(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        properties = schema.get("properties")
        required = schema.get("required", [])
        if properties is None or schema.get("additionalProperties", False) is not False:
            raise _InexpressibleError
        if not set(required) <= properties.keys():
            raise _InexpressibleError
        return {
            "properties": {
                name: self.node(inner) if name in required or _has_default(inner) else self._nullable(inner)
                for name, inner in properties.items()
            },
            "required": list(properties),
            "additionalProperties": False,
        }

    def _nullable(self, schema: Any) -> dict[str, Any]:
        strict = self.node(schema)
        if _takes_null(schema, self._root):
            return strict
        alternatives = strict["anyOf"] if set(strict) == {"anyOf"} else [strict]
        return {"anyOf": [*alternatives, {"type": "null"}]}


def _say_the_rest(schema: Mapping[str, Any], strict: Mapping[str, Any]) -> dict[str, Any]:
    """Keep `format` and `pattern` where they are known, and put every other keyword into the description."""
    rest = {name: value for name, value in schema.items() if name not in strict and name != "oneOf"}
    known = {}
    if rest.get("format") in _FORMATS:
        known["format"] = rest.pop("format")
    if "pattern" in rest and not _LOOKAROUND.search(rest["pattern"]):
        known["pattern"] = rest.pop("pattern")
    if rest:
        said = "; ".join(f"{name}: {json.dumps(value, ensure_ascii=False)}" for name, value in rest.items())
        known["description"] = f"{schema.get('description', '')} ({said})".strip()
    return known


def _with_own_root(schema: dict[str, Any]) -> dict[str, Any]:
    """Put what the root refers to in its place: a class that refers to itself is only a reference there."""
    seen: set[str] = set()
    while "$ref" in schema and schema["$ref"] not in {"#", *seen}:
        seen.add(schema["$ref"])
        target = resolve(schema["$ref"], schema)
        own = {name: value for name, value in schema.items() if name != "$ref"}
        schema = {**target, **own} if isinstance(target, Mapping) else own
    return {"type": "object", **schema} if "properties" in schema else schema


def _types(schema: Mapping[str, Any]) -> list[str]:
    """Return the types a schema names, or those of the values it lists."""
    if "type" in schema:
        return list(_as_list(schema["type"]))
    if "enum" in schema or "const" in schema:
        return list(dict.fromkeys(_TYPES[type(value)] for value in schema.get("enum", [schema.get("const")])))
    return [name for keyword, name in (("properties", "object"), ("items", "array")) if keyword in schema]


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _has_default(schema: Any) -> bool:
    return isinstance(schema, Mapping) and "default" in schema


def _in_definitions(reference: str) -> bool:
    return reference == "#" or (reference.startswith("#/$defs/") and reference.count("/") == 2)


def _may_stand_for_nothing(name: str, schema: Mapping[str, Any], root: Mapping[str, Any]) -> bool:
    properties = schema.get("properties", {})
    return (
        name in properties
        and name not in schema.get("required", [])
        and not _takes_null(properties[name], root)
    )


def _takes_null(schema: Any, root: Mapping[str, Any]) -> bool:
    """Whether null is a value the schema allows, as far as its types say."""
    if schema is True:
        return True
    for branch in _iter_branches(schema, root):
        known = branch.get("enum", [branch["const"]] if "const" in branch else None)
        if None in known if known is not None else "null" in _as_list(branch.get("type", "null")):
            return True
    return False


def _iter_branches(schema: Any, root: Mapping[str, Any], seen: frozenset[int] = frozenset()) -> Iterator[Any]:
    """Yield the schemas without alternatives that a schema consists of."""
    if not isinstance(schema, Mapping) or id(schema) in seen:
        return
    seen |= {id(schema)}
    inner = [*schema.get("anyOf", ()), *schema.get("oneOf", ()), *schema.get("allOf", ())]
    if "$ref" in schema:
        inner.append(resolve(schema["$ref"], root))
    for alternative in inner:
        yield from _iter_branches(alternative, root, seen)
    if not inner or "properties" in schema:
        yield schema


def _iter_nodes(schema: Any) -> Iterator[Mapping[str, Any]]:
    """Yield a schema and those within it."""
    if not isinstance(schema, Mapping):
        return
    yield schema
    for name, value in schema.items():
        if name in _NAMED and isinstance(value, Mapping):
            within = list(value.values())
        elif name in _MANY or (name in _ONE and isinstance(value, list)):
            within = value
        else:
            within = [value] if name in _ONE else []
        for inner in within:
            yield from _iter_nodes(inner)


def _move_definitions(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Call the definitions of older drafts what they are called today."""
    if "definitions" not in schema:
        return dict(schema)
    moved: dict[str, Any] = _map_references(schema, lambda ref: re.sub(r"^#/definitions/", "#/$defs/", ref))
    moved["$defs"] = {**moved.pop("definitions"), **moved.get("$defs", {})}
    return moved


def _map_references(schema: Any, rename: Callable[[str], str]) -> Any:
    """Return a copy of the schema with every `$ref` renamed."""
    if isinstance(schema, list):
        return [_map_references(inner, rename) for inner in schema]
    if not isinstance(schema, Mapping):
        return schema
    copy = {name: _map_references(value, rename) for name, value in schema.items()}
    if isinstance(copy.get("$ref"), str):
        copy["$ref"] = rename(copy["$ref"])
    return copy
