"""What a server declares of a tool: its name, what it is for, its parameters, and what it may do."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..language import _
from ..messages.kinds import JSON

_NOT_IN_NAMES = re.compile(r"[^a-zA-Z0-9_-]")
LONGEST_NAME = 64


@dataclass(frozen=True, slots=True)
class Declared:
    """A tool as its server declares it. All of it is the server's word, and none of it is checked.

    `hints` are the annotations that were given: `readOnlyHint`, `destructiveHint`, `idempotentHint`,
    `openWorldHint`.
    """

    name: str
    description: str = ""
    parameters: Mapping[str, JSON] = field(default_factory=dict)
    hints: Mapping[str, bool] = field(default_factory=dict)

    @classmethod
    def of(cls, tool: Any, hide: Callable[[str], str] = str) -> Declared:
        """Read the library's object; `hide` takes secrets out of a text."""
        annotations = tool.annotations.model_dump(by_alias=True) if tool.annotations else {}
        hints = {name: value for name, value in annotations.items() if isinstance(value, bool)}
        declared = cls(tool.name, tool.description or "", tool.input_schema, hints)
        return cls.from_json(json.loads(hide(json.dumps(declared.to_json()))))

    @classmethod
    def from_json(cls, data: Any) -> Declared:
        """Read what `to_json` wrote."""
        return cls(str(data["name"]), str(data["description"]), dict(data["parameters"]), dict(data["hints"]))

    def to_json(self) -> dict[str, JSON]:
        return {
            "name": self.name,
            "description": self.description,
            "parameters": dict(self.parameters),
            "hints": dict(self.hints),
        }

    @property
    def fingerprint(self) -> str:
        """What tells whether it has changed: the hash of all of it."""
        written = json.dumps(self.to_json(), sort_keys=True, default=str)
        return hashlib.sha256(written.encode("utf-8", "replace")).hexdigest()

    @property
    def only_reads(self) -> bool:
        return self.hints.get("readOnlyHint") is True

    @property
    def may_be_repeated(self) -> bool:
        """Whether a second call has no effect that the first had not."""
        return self.only_reads or self.hints.get("idempotentHint") is True

    @property
    def may(self) -> str:
        """What it may do, in a few words."""
        if self.only_reads:
            may = _("only reads")
        elif "readOnlyHint" not in self.hints and "destructiveHint" not in self.hints:
            may = _("nothing declared")
        elif self.hints.get("destructiveHint") is False:
            may = _("writes, destroys nothing")
        else:
            may = _("writes, may destroy")
        return _("{may}, reaches outside", may=may) if self.hints.get("openWorldHint") is True else may

    def to_function(self, name: str) -> dict[str, JSON]:
        """The tool as the API takes it, under a name of that alphabet."""
        parameters = {key: value for key, value in self.parameters.items() if key != "$schema"}
        parameters.setdefault("type", "object")
        if parameters["type"] == "object":
            parameters.setdefault("properties", {})
        described: dict[str, JSON] = {"name": name}
        if self.description:
            described["description"] = self.description
        return {"type": "function", "function": described | {"parameters": parameters}}


def function_name(server: str, tool: str) -> str:
    """Return the name that a model knows a server's tool by; a long one ends in a hash of all of it."""
    name = _NOT_IN_NAMES.sub("_", f"{server}_{tool}")
    if len(name) <= LONGEST_NAME:
        return name
    digest = hashlib.sha256(f"{server}.{tool}".encode()).hexdigest()[:8]
    return f"{name[: LONGEST_NAME - 9]}_{digest}"
