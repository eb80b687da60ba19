"""What a request is known by among recordings: the hash of all that can change its answer.

The request is written down as an object of this shape, absent where empty but for the first four:

    model, sample, params, messages, tools, response_format

Images are in it by their SHA-256. What says where, how or for whom to ask (address, key, streaming, …) is
not. The key is the SHA-256 of that object and the format's version as canonical JSON: names sorted, no
blanks, UTF-8, a number the same however it is spelt (`1.0` is 1, `1e-1` is 0.1).
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping
from typing import Any

from ..errors import RecordingError
from ..language import _
from ..messages.kinds import JSON
from ..messages.request import ImagePart, Message, Request, TextPart

VERSION = 1

# Parameters that do not change what a model answers. Some would put secrets or names into the recordings.
LEFT_OUT = {
    # how the answer travels, and how long one waits for it
    *("stream", "stream_options", "timeout", "service_tier"),
    # for whom, what the provider keeps of it, and what it saves
    *("user", "safety_identifier", "metadata", "store", "prompt_cache_key", "prompt_cache_retention"),
    # where to ask and with whose key, which proxies take in the body
    *("api_key", "api_base", "api_version", "base_url", "organization", "project"),
    *("headers", "extra_headers", "extra_query"),
}

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")  # no UTF-8 for it, but JSON has an escape


def describe(request: Request, sample: int = 1) -> dict[str, JSON]:
    """Return all of a request that can change its answer; `sample` tells answers to the same one apart.

    Raises
    ------
    RecordingError
        A parameter is no JSON (NaN, say), so that no recording could be found again.

    """
    described: dict[str, Any] = {
        "model": request.model,
        "sample": sample,
        "params": {name: value for name, value in request.params.items() if name not in LEFT_OUT},
        "messages": [_describe_message(message) for message in request.messages],
    }
    if request.tools:
        described["tools"] = list(request.tools)
    if request.response_format is not None:
        described["response_format"] = request.response_format
    return {name: _normalized(value) for name, value in described.items()}


def key_of(described: Mapping[str, JSON]) -> str:
    """Return the key of what `describe` returned, also after it has been through JSON: 64 hex digits."""
    versioned = {"version": VERSION, **{name: _normalized(value) for name, value in described.items()}}
    return hashlib.sha256(dump(versioned, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def dump(value: JSON | Mapping[str, JSON], **options: Any) -> str:
    """Return one line of JSON that can be written as UTF-8, whatever text is in it."""
    dumped = json.dumps(value, ensure_ascii=False, allow_nan=False, **options)
    return _LONE_SURROGATE.sub(lambda found: f"\\u{ord(found[0]):04x}", dumped)


def _describe_message(message: Message) -> dict[str, JSON]:
    content = message.content
    described: dict[str, JSON] = {
        "role": message.role,
        "content": content if isinstance(content, str) else [_describe_part(part) for part in content],
    }
    if message.tool_calls:
        described["tool_calls"] = [
            {"id": call.id, "name": call.name, "arguments": call.arguments} for call in message.tool_calls
        ]
    if message.tool_call_id is not None:
        described["tool_call_id"] = message.tool_call_id
    return described


def _describe_part(part: TextPart | ImagePart) -> JSON:
    if isinstance(part, TextPart):
        return {"text": part.text}
    return {"image": hashlib.sha256(part.data).hexdigest(), "media_type": part.media_type}


def _normalized(value: Any) -> JSON:
    """Return a value as JSON has it, its numbers in one spelling."""
    match value:
        case None | bool() | str() | int():
            return value
        case float() if math.isfinite(value):
            return int(value) if value.is_integer() else value
        case Mapping() if all(isinstance(name, str) for name in value):
            return {name: _normalized(inner) for name, inner in value.items()}
        case list() | tuple():
            return [_normalized(inner) for inner in value]
    raise RecordingError(
        _("A request with {value!r} in it cannot be recorded: that is no JSON.", value=value),
        _('Correct the parameter, or turn recordings off: `%config Metask.recording = "off"`.'),
    )
