"""What is said of a fault: the kind of error, the remedy, and nothing a server or a proxy should not show."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from metask_magic.errors import (
    AuthenticationError,
    BadRequestError,
    ContextLengthError,
    GatewayError,
    MetaskError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    ServerError,
    UnreadableReplyError,
)
from metask_magic.gateway import faults
from metask_magic.gateway.refusal import Refusal
from metask_magic.language import choose
from metask_magic.words import LONGEST_QUOTE

from ..english import english_sentences

BASE_URL = "https://gateway.invalid/v1"
ASKED = faults.Asked("some-model", BASE_URL, "METASK_API_KEY", ("temperature", "penalty"))


def refused(status: int, body: Any = None, headers: Mapping[str, str] | None = None) -> GatewayError:
    data = body if isinstance(body, bytes) else json.dumps({"error": body}).encode()
    refusal = Refusal(status, data, headers or {})
    return faults.refused(refusal, ASKED)


STATUS: dict[int, tuple[type[GatewayError], str, str]] = {
    400: (BadRequestError, "did not accept the request (400): Oh.", "--dry-run"),
    401: (AuthenticationError, "refused the key (401): Oh.", "came from METASK_API_KEY"),
    402: (PermissionDeniedError, "wants to be paid first (402): Oh.", "balance"),
    403: (PermissionDeniedError, "refused some-model (403): Oh.", "balance is zero"),
    404: (NotFoundError, "does not answer as it should (404): Oh.", "usually ends in /v1"),
    413: (BadRequestError, "larger than the gateway takes (413): Oh.", "smaller attachments"),
    418: (GatewayError, "answered (418): Oh.", BASE_URL),
    422: (BadRequestError, "did not accept the request (422): Oh.", "--dry-run"),
    429: (RateLimitError, "Too many requests (429): Oh.", "Wait a little"),
    500: (ServerError, "failed (500): Oh.", "another model"),
    503: (ServerError, "failed (503): Oh.", "another model"),
    529: (ServerError, "failed (529): Oh.", "another model"),
}


@pytest.mark.parametrize("status", STATUS)
def test_a_status(status: int) -> None:
    kind, says, remedy = STATUS[status]
    error = refused(status, {"message": "Oh.", "code": "c"}, {"x-request-id": "r1"})
    assert type(error) is kind
    assert says in error.message
    assert remedy in error.remedy
    assert (error.status, error.code, error.request_id, error.retry_after) == (status, "c", "r1", None)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "it gave no reason"),
        (b" \n", "it gave no reason"),
        (b"<html>Bad Gateway</html>", "a page that is not JSON"),
        (b"\xff\xfe", "a page that is not JSON"),
        (b"[" * 100_000, "a page that is not JSON"),
        (b'{"error": {"code": 7}}', "it gave no reason"),
        (b'{"error": "Oh"}', "): Oh"),
        (b'{"error": {"message": {"why": "Oh"}}}', '{"why": "Oh"}'),
        (b'{"message": "Oh"}', "): Oh"),
        (b'{"detail": "Oh"}', "): Oh"),
        (b'{"detail": [{"msg": "Oh"}]}', '[{"msg": "Oh"}]'),
        (b'"Oh"', "): Oh"),
        (b'["Oh"]', '["Oh"]'),
        (b'{"error": {"message": "\\u001b[31mOh\\n\\u202eno\\ud800"}}', "): Oh no"),
    ],
)
def test_a_body(body: bytes, says: str) -> None:
    assert says in refused(500, body).message


@pytest.mark.parametrize(
    ("status", "body", "headers", "remedy"),
    [
        (400, {"param": "top_p"}, {}, "Change or drop the parameter top_p: leave --top-p out. `--dry-run`"),
        (
            400,
            {"message": "Unsupported value: 'temperature' does not support 0.2 with this model."},
            {},
            "Change or drop the parameter temperature: leave --temperature out "
            "(or `%config Metask.temperature = None`). `--dry-run`",
        ),
        (
            422,
            {"message": "penalty: not allowed"},
            {},
            "Change or drop the parameter penalty: leave -p penalty",
        ),
        (400, {"message": "The penalty_kick failed."}, {}, "`--dry-run`"),
        (400, {"param": "\x1b[31mx\n"}, {}, "Change or drop the parameter x."),
        (400, {"param": None}, {}, "`--dry-run`"),
        (400, {"code": "content_filter", "param": "prompt"}, {}, "Ask otherwise, or ask another model."),
        (400, {"code": "data_inspection_failed", "message": "Bad input."}, {}, "Ask otherwise"),
        (404, b"nothing here", {}, "usually ends in /v1"),
        (404, b'{"detail": "Not Found"}', {}, "usually ends in /v1"),
        (404, b'{"error": {"code": "model_not_found"}}', {}, "%metask models"),
        (404, b'{"error": {"message": "No such model."}}', {}, "%metask models"),
        (429, {}, {"retry-after": "2.6"}, "Wait 3 s"),
        (429, {}, {"retry-after": "0"}, "Wait a little"),
        (429, {"code": "insufficient_quota"}, {"retry-after": "5"}, "The quota is used up"),
    ],
)
def test_a_remedy(status: int, body: Any, headers: Mapping[str, str], remedy: str) -> None:
    assert refused(status, body, headers).remedy.startswith(remedy) or remedy in refused(status, body).remedy


TOO_LONG = {
    "code": {"message": "Please reduce the length of the messages.", "code": "context_length_exceeded"},
    "OpenAI": "This model's maximum context length is 128000 tokens. However, you sent 130000.",
    "OpenAI, responses": "Your input exceeds the context window of this model. Please adjust your input.",
    "Anthropic": "prompt is too long: 210000 tokens > 200000 maximum",
    "Anthropic, with the reply": "input length and `max_tokens` exceed context limit: 190000 + 20000",
    "Gemini": "The input token count (1048580) exceeds the maximum number of tokens allowed (1048575).",
    "Mistral": "Prompt contains 40000 tokens, too large for model with 32768 maximum context length",
    "xAI": "This model's maximum prompt length is 131072 but the request contains 200000 tokens.",
    "Bedrock": "Input is too long for requested model.",
    "Moonshot": "Invalid request: Your request exceeded model token limit: 8192",
    "Qwen": "Range of input length should be [1, 30720]",
    "vLLM": "The prompt (total length 5000) is too long to fit into the model",
    "llama.cpp": {
        "code": 400,
        "type": "exceed_context_size_error",
        "message": "the request exceeds the available context size, try increasing it",
    },
    "llama.cpp, by its words": "request (9000 tokens) exceeds the available context size (4096 tokens)",
}


@pytest.mark.parametrize("status", [400, 413, 422])
@pytest.mark.parametrize("said", TOO_LONG.values(), ids=TOO_LONG)
def test_a_prompt_that_is_too_long(status: int, said: str | dict[str, Any]) -> None:
    body = {"message": said, "type": "invalid_request_error"} if isinstance(said, str) else said
    error = refused(status, body)
    assert type(error) is ContextLengthError
    assert error.message == f"The prompt is too long for some-model ({status}): {body['message']}"
    assert error.remedy == "Shorten the prompt, or ask a model that takes more."


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, {"message": "max_tokens is too large: 100000. This model supports at most 16384."}),
        (400, {"message": "Invalid value for 'context_length'."}),
        (400, {"message": "Oh.", "code": ["context_length_exceeded"], "type": {}}),
        (400, {"message": "The image is too long on one side."}),
        (400, {"message": "The name of a tool exceeds the maximum length."}),
        (429, {"message": "prompt is too long for your tokens per minute"}),
        (500, {"message": "maximum context length"}),
    ],
)
def test_what_is_not_too_long(status: int, body: dict[str, Any]) -> None:
    assert not isinstance(refused(status, body), ContextLengthError)


def test_hostile_words_are_made_plain_everywhere() -> None:
    nasty = "\x1b[31mno\n\u202e" + "x" * 100_000
    error = refused(400, {"message": nasty, "code": nasty, "param": nasty}, {"x-request-id": nasty})
    for said in (error.message, error.remedy, error.code, error.request_id):
        assert said
        assert said.isprintable()
        assert len(said) < LONGEST_QUOTE + 100


DATE = "Sat, 21 Nov 2026 10:00:00 GMT"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": ""}, None),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": " 0.5 "}, 0.5),
        ({"retry-after": "-3"}, 0.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "1e999"}, None),
        ({"retry-after": "Sat, 21 Nov 2026 10:01:30 GMT", "date": DATE}, 90.0),
        ({"retry-after": "Sat, 21 Nov 2026 12:00:30 +0200", "date": DATE}, 30.0),
        ({"retry-after": "Sat, 21 Nov 2026 09:00:00 GMT", "date": DATE}, 0.0),
        ({"retry-after": DATE}, None),
        ({"retry-after": DATE, "date": "today"}, None),
        ({"retry-after": "Sat, 21 Nov 2026 10:00:00", "date": DATE}, None),
        ({"retry-after": "Sat, 21 Nov 99999999999999999999 10:00:00 GMT", "date": DATE}, None),
        ({"retry-after": "Sat, 99 Nov 2026 10:00:00 +99999999", "date": DATE}, None),
    ],
)
def test_retry_after(headers: Mapping[str, str], seconds: float | None) -> None:
    assert faults.retry_after(headers) == seconds


@pytest.mark.parametrize(
    ("said", "message", "code"),
    [
        ({"message": "Oh.", "code": "c"}, "an error (code c): Oh.", "c"),
        ({"message": "\x1b[31mOh.\n\u202e", "code": 7}, "an error (code 7): Oh.", "7"),
        ({"code": None}, 'an error: {"code": null}', None),
        ("Oh.", "an error: Oh.", None),
        (["Oh."], 'an error: ["Oh."]', None),
        (True, "an error: true", None),
        ({"message": "Oh.", "code": 1004}, "an error (code 1004): Oh.", "1004"),
        ({"message": "Oh.", "type": "exceed_context_size_error"}, "an error: Oh.", None),
    ],
)
def test_an_error_in_a_stream(said: object, message: str, code: str | None) -> None:
    error = faults.told({"error": said}, ASKED, {})
    assert error.message.endswith(message)
    assert (error.code, error.status) == (code, None)


@pytest.mark.parametrize(
    ("content_type", "body", "says"),
    [
        ("text/html; charset=utf-8", b"", "answered with text/html instead of a reply: it is empty"),
        ("", b"Hello", "answered with something instead of a reply: “Hello”"),
        ("\x1b[31mtext\n/html", b"a\x1b[2Jb\n\nc", "answered with text /html instead of a reply: “ab c”"),
        ("application/json", b'{"hello": 1}', 'reply: “{"hello": 1}”'),
        ("application/json", b'{"message": "Oh."}', "reply: Oh."),
        (
            "application/json",
            b'{"code": 0, "msg": "OK", "data": 1}',
            'reply: “{"code": 0, "msg": "OK", "data": 1}”',
        ),
        (
            "text/html",
            b"<!doctype html><title>Log in</title><style>p{}</style><script>x()</script><p>Please &amp; now",
            "reply: “Log in Please & now”",
        ),
        ("text/plain", b"x" * 1000, f"reply: “{'x' * 199}…”"),
    ],
)
def test_no_reply(content_type: str, body: bytes, says: str) -> None:
    error = faults.not_a_reply(Refusal(200, body, {"content-type": content_type}), BASE_URL)
    assert isinstance(error, UnreadableReplyError)
    assert error.message.endswith(says)


# -- in Chinese ------------------------------------------------------------------------------------------


def in_chinese() -> list[MetaskError]:
    """An error of each kind, as it is said in the language of now."""
    headers = {"content-type": "text/html"}
    errors: list[MetaskError] = [refused(status, {"message": "Oh."}) for status in STATUS]
    errors += [refused(400, {"param": name}) for name in ("top_p", "temperature", "response_format", "x")]
    errors += [refused(400, {"code": code}) for code in ("context_length_exceeded", "content_filter")]
    errors += [refused(404, {"code": "model_not_found"}), refused(503, {"code": "model_not_found"})]
    errors += [refused(429, {"code": "insufficient_quota"}), refused(429, {}, {"retry-after": "2"})]
    errors += [refused(500, body) for body in (b"", b"<html>", b"{}", b'{"error": {"code": 7}}')]
    errors += [refused(308, b""), refused(308, b"", {"location": "https://other.invalid/v1"})]
    errors += [faults.refused(Refusal(403, b"", {}), faults.Asked("", BASE_URL, "METASK_API_KEY"))]
    errors += [faults.told({"error": said}, ASKED, {}) for said in ("Oh.", {"code": "c"}, {"message": "Oh."})]
    errors += [faults.unreadable(), faults.unreadable(b"{"), faults.too_large("x", "1 MB")]
    errors += [faults.not_a_reply(Refusal(200, b"", of), BASE_URL) for of in (headers, {})]
    return errors


def test_in_chinese_nothing_of_ours_is_english() -> None:
    choose("zh")
    assert {said for error in in_chinese() for said in english_sentences(str(error))} == set()


@pytest.mark.parametrize(
    ("status", "body", "headers", "said"),
    [
        (
            401,
            {"message": "Oh."},
            {},
            "网关拒绝了密钥（401）：Oh. 密钥来源：METASK_API_KEY。在那里检查它，"
            "或用 `%metask login` 输入另一个；密钥在网关控制台创建（Settings → API Keys）。",
        ),
        (500, b"", {}, "网关出错（500）：没有给出原因。过一会儿重新运行单元格；如果仍然如此，换一个模型。"),
        (
            400,
            {"param": "response_format", "message": "Oh!"},
            {},
            "网关没有接受这个请求（400）：Oh! 修改或去掉参数 response_format：去掉 --schema 或 -f json。"
            "`--dry-run` 会显示确切的请求。",
        ),
        (
            429,
            {"message": "慢一点。"},
            {"retry-after": "2"},
            "请求过多（429）：慢一点。等待 2 s 后重新运行单元格。",
        ),
        (
            404,
            {"code": "model_not_found", "message": "没有这个模型"},
            {},
            "网关没有模型 some-model（404）：没有这个模型。`%metask models` 会列出这个密钥可用的模型。",
        ),
    ],
)
def test_a_refusal_in_chinese(status: int, body: Any, headers: Mapping[str, str], said: str) -> None:
    choose("zh")
    assert str(refused(status, body, headers)) == said
