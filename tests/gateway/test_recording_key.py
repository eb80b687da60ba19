"""The key of a request among recordings: what changes it, what does not, and that it stays what it is."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metask_magic.errors import RecordingError
from metask_magic.gateway.recording_key import LEFT_OUT, describe, dump, key_of
from metask_magic.messages.kinds import JSON
from metask_magic.messages.request import ImagePart, Message, Request, TextPart, ToolCall

HI = (Message("user", "Hi"),)
PLAIN = Request("gpt-4o-mini", HI)
WEATHER: dict[str, JSON] = {"type": "function", "function": {"name": "weather", "parameters": {}}}
CALLED = Message("assistant", "", (ToolCall("c1", "weather", '{"city": "Oslo"}'),))
RESULT = Message("tool", "sunny", tool_call_id="c1")


def key(request: Request, sample: int = 1) -> str:
    return key_of(describe(request, sample))


# These may never change: recordings in people's repositories are found by them.
GOLDEN = {
    "plain": (PLAIN, 1, "3b86c210b7dcabdd0bf3024220f16cecac752075e5c653c865ae691447307b1f"),
    "another sample": (PLAIN, 2, "437ace8d0e8aa8c69381aa8f2d1913261be3de731b3e0ec6b5b8087c5e30fb3e"),
    "a system message and parameters": (
        Request(
            "gpt-4o",
            (Message("system", "Be brief."), *HI),
            {"temperature": 0.7, "max_tokens": 100, "seed": 7, "stop": ["\n", "END"]},
        ),
        1,
        "a01e74a2ed460a684c05fa153ca067723a2ef15e26296b507a2bb6d4af344ec0",
    ),
    "numbers": (
        Request("m", HI, {"a": -0.0, "b": 1e22, "c": 2**53 + 1, "d": 1e-7, "e": True, "f": None, "g": 0.1}),
        1,
        "f0e4a80d70183b3436fdf8970e957f797203a05053ce770e00cbf04b45f1c157",
    ),
    "any text": (
        Request("模型", (Message("user", 'é 🎉 \u2028 \x00 "\\ \ud800 <\x7f'),)),
        1,
        "4c2f92016bd08deb426ff4bfe686667b9da22117e4caa78ecdf2bd04a08dd0ce",
    ),
    "an image": (
        Request("m", (Message("user", (TextPart("See: "), ImagePart("image/png", b"\x89PNG", "a.png"))),)),
        1,
        "30a2924b3d5b9c977f1344427337be4f182f85d87d748278fbbc94cd1750e809",
    ),
    "tools": (
        Request("m", (*HI, CALLED, RESULT), tools=(WEATHER,)),
        1,
        "4bd47c5118664f4ad0c58223a092d289f4d429a08f757ef480ac5a8c60ba6a6c",
    ),
    "a response format": (
        Request("m", HI, response_format={"type": "json_object"}),
        1,
        "a5cf967046671064096beb286a7ae87a5a178e46bd1552c56458fba5d0bcc2ad",
    ),
    "the embedded model": (
        Request("local", HI),
        1,
        "a9d78ef18dcaa19bde999cbc26cd843ea611886b48e81e2cd37490d95d99f094",
    ),
}


@pytest.mark.parametrize(("request_", "sample", "expected"), GOLDEN.values(), ids=GOLDEN)
def test_keys_are_for_ever(request_: Request, sample: int, expected: str) -> None:
    assert key(request_, sample) == expected


@pytest.mark.parametrize(("request_", "sample", "_expected"), GOLDEN.values(), ids=GOLDEN)
def test_a_key_is_found_again_from_what_is_written(request_: Request, sample: int, _expected: str) -> None:
    written = dump(describe(request_, sample))
    assert "\n" not in written
    assert key_of(json.loads(written.encode())) == key(request_, sample)


def test_images_are_written_by_their_digest() -> None:
    request, _, _ = GOLDEN["an image"]
    assert describe(request)["messages"] == [
        {
            "role": "user",
            "content": [
                {"text": "See: "},
                {
                    "image": "0f4636c78f65d3639ece5a064b5ae753e3408614a14fb18ab4d7540d2c248543",
                    "media_type": "image/png",
                },
            ],
        }
    ]


DIFFERENT: dict[str, Request] = {
    "the model": replace(PLAIN, model="gpt-4o"),
    "the text": replace(PLAIN, messages=(Message("user", "Hi "),)),
    "the role": replace(PLAIN, messages=(Message("system", "Hi"),)),
    "another message": replace(PLAIN, messages=HI * 2),
    "a parameter": replace(PLAIN, params={"temperature": 0}),
    "another value": replace(PLAIN, params={"temperature": 0.1}),
    "null is said": replace(PLAIN, params={"temperature": None}),
    "no number": replace(PLAIN, params={"temperature": False}),
    "text of a number": replace(PLAIN, params={"temperature": "0"}),
    "a parameter nobody knows": replace(PLAIN, params={"reasoning_effort": "low"}),
    "a tool": replace(PLAIN, tools=(WEATHER,)),
    "a tool as a parameter": replace(PLAIN, params={"tools": [WEATHER]}),
    "the format of the answer": replace(PLAIN, response_format={"type": "json_object"}),
    "an image": replace(PLAIN, messages=(Message("user", (ImagePart("image/png", b"1"),)),)),
    "another image": replace(PLAIN, messages=(Message("user", (ImagePart("image/png", b"2"),)),)),
    "another kind of image": replace(PLAIN, messages=(Message("user", (ImagePart("image/gif", b"1"),)),)),
    "a call": replace(PLAIN, messages=(*HI, CALLED)),
    "its result": replace(PLAIN, messages=(*HI, CALLED, RESULT)),
    "the call it answers": replace(PLAIN, messages=(*HI, CALLED, replace(RESULT, tool_call_id="c2"))),
    "exact integers": replace(PLAIN, params={"seed": 2**53}),
    "exact integers, one more": replace(PLAIN, params={"seed": 2**53 + 1}),
}


def test_what_changes_the_key() -> None:
    keys = [key(PLAIN), key(PLAIN, 2), *map(key, DIFFERENT.values())]
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize(
    "same",
    [
        replace(PLAIN, stream=False),
        replace(PLAIN, format="html"),
        *(replace(PLAIN, params={name: "whatever"}) for name in sorted(LEFT_OUT)),
        replace(PLAIN, params={"user": math.nan}),
    ],
    ids=lambda request: "-".join(request.params) or f"{request.stream}-{request.format}",
)
def test_what_does_not(same: Request) -> None:
    assert key(same) == key(PLAIN)
    assert "whatever" not in dump(describe(same))


def test_an_image_is_known_by_its_bytes_and_not_its_name() -> None:
    one, other = (Request("m", (Message("user", (ImagePart("image/png", b"1", n),)),)) for n in ("a", "b"))
    assert key(one) == key(other)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, {1: 2}, {1, 2}, b"x"])
def test_what_is_no_json_is_refused(value: Any) -> None:
    with pytest.raises(RecordingError, match=r"cannot be recorded: that is no JSON.*Metask.recording"):
        describe(replace(PLAIN, params={"x": [value]}))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def backwards(value: Any) -> Any:
    """The same value, every object in the other order."""
    match value:
        case dict():
            return {name: backwards(inner) for name, inner in reversed(value.items())}
        case list():
            return [backwards(inner) for inner in value]
    return value


def respelt(value: Any) -> Any:
    """The same value, whole numbers as floats where no digit is lost."""
    match value:
        case dict():
            return {name: respelt(inner) for name, inner in value.items()}
        case list():
            return [respelt(inner) for inner in value]
        case int() if not isinstance(value, bool) and abs(value) <= 2**53:
            return float(value)
    return value


@given(st.dictionaries(st.text(), json_values, max_size=5), st.booleans())
def test_neither_order_nor_spelling_nor_streaming_matters(params: dict[str, Any], stream: bool) -> None:
    request = Request("m", HI, params, tools=(params,), response_format=params)
    expected = key(request)
    for changed in (backwards(params), respelt(params), json.loads(json.dumps(params))):
        same = Request("m", HI, changed, stream, tools=(changed,), response_format=changed)
        assert key(same) == expected
    assert key_of(json.loads(dump(describe(request)))) == expected


@pytest.mark.parametrize(
    ("spellings", "expected"),
    [
        (["1", "1.0", "1e0", "10e-1"], "1"),
        (["0.1", "1e-1", "0.10"], "0.1"),
        (["0", "-0.0", "0.0", "-0"], "0"),
        (["1e22", "10000000000000000000000"], "10000000000000000000000"),
        (["9007199254740993"], "9007199254740993"),
    ],
)
def test_numbers_have_one_spelling(spellings: list[str], expected: str) -> None:
    for spelling in spellings:
        described = describe(replace(PLAIN, params={"x": json.loads(spelling)}))
        assert dump(described["params"]) == f'{{"x": {expected}}}'
