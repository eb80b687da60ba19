"""Answers of real gateways that are no replies: errors of every kind, redirects, parameters not taken."""

from __future__ import annotations

from dataclasses import replace

from .answers import Bytes, Chunk, Event, Page, Streamed
from .pages import html_page, rate_limited, refused
from .shape import Shape


def _moved(status: int, to: str) -> Page:
    return Page(b"", status, {"Location": to})


ERRORS_IN_200 = {
    "code and msg": Shape(
        Page({"code": 401, "msg": "令牌无效"}), error="AuthenticationError", says="(401): 令牌无效"
    ),
    "code as text": Shape(
        Page({"code": "403", "message": "No."}), error="PermissionDeniedError", says="(403): No."
    ),
    "a code of its own": Shape(
        Page({"code": 10013, "message": "No.", "data": None}), error="ServerError", says="(code 10013): No."
    ),
    "no success": Shape(Page({"success": False, "message": "No."}), error="ServerError", says="No."),
    "base_resp": Shape(
        Page({"base_resp": {"status_code": 1004, "status_msg": "login fail"}}),
        error="ServerError",
        says="(code 1004): login fail",
    ),
    "error": Shape(
        Page({"error": {"message": "No.", "code": 429}}), error="RateLimitError", says="(429): No."
    ),
    "error as text": Shape(Page({"error": "No."}), error="ServerError", says="No."),
    "a prompt too long": Shape(
        Page({"error": {"message": "No.", "code": "context_length_exceeded"}}),
        error="ContextLengthError",
        says="No.",
    ),
    "event: error": Shape(
        Streamed(["So far", Event({"message": "No."}, "error")]), "So far", error="ServerError", says="No."
    ),
    "in the stream": Shape(
        Streamed(["So far", Event({"code": 500, "msg": "No."})]),
        "So far",
        error="ServerError",
        says="(500): No.",
    ),
    "in the stream, first": Shape(
        Streamed([Event({"success": False, "message": "No."})], role_chunk=False),
        error="ServerError",
        says="No.",
    ),
    "a prompt that was filtered": Shape(
        Page({"error": {"message": "No.", "code": "content_filter", "status": 400}}),
        error="BadRequestError",
        says="→ Ask otherwise, or ask another model.",
    ),
    "no quota": Shape(
        Page({"error": {"message": "No.", "code": "insufficient_user_quota"}}),
        error="PermissionDeniedError",
        says="Top the balance up",
    ),
    "in a list": Shape(
        Page([{"error": {"code": 400, "message": "No."}}]), error="BadRequestError", says="(400): No."
    ),
    "of a choice": Shape(
        Streamed(
            [
                "So far",
                Chunk(
                    {
                        "choices": [
                            {"delta": {}, "finish_reason": "error", "error": {"code": 502, "message": "No."}}
                        ]
                    }
                ),
            ],
            None,
        ),
        "So far",
        error="ServerError",
        says="(502): No.",
    ),
    "event: error, and nothing": Shape(
        Streamed(["So far", Bytes(b"event: error\n\n")]),
        "So far",
        error="ServerError",
        says="it gave no reason",
    ),
    "below the stream": Shape(
        Streamed(
            ["So far", Bytes(b'{"error": {"message": "No.", "code": 502}}')], None, done=False, usage=None
        ),
        "So far",
        error="ServerError",
        says="(502): No.",
    ),
    "a page below the stream": Shape(
        Streamed(
            ["So far", Bytes(b"<html>\n<h1>502 Bad Gateway</h1>\n</html>\n")], None, done=False, usage=None
        ),
        "So far",
        error="UnreadableReplyError",
        says="“502 Bad Gateway”",
    ),
    "a message in the stream, alone": Shape(
        Streamed([Event({"message": "Quota used up."})], None, role_chunk=False),
        error="UnreadableReplyError",
        says="instead of a reply: Quota used up.",
    ),
    "text in the stream, alone": Shape(
        Streamed([Event("Quota used up.")], None, role_chunk=False),
        error="UnreadableReplyError",
        says="instead of a reply: Quota used up.",
    ),
    "another provider's stream": Shape(
        Streamed(
            [Event({"type": "text_delta", "text": "Hello"}, "text_delta"), Event({"type": "stop"}, "stop")],
            None,
            role_chunk=False,
        ),
        error="UnreadableReplyError",
        says='“{"type":"text_delta","text":"Hello"}”',
    ),
    "another provider's lines": Shape(
        Page(b'{"message": {"content": "Hel"}}\n{"message": {"content": "lo"}}\n'),
        error="UnreadableReplyError",
        says='{"content": "Hel"}',
    ),
    "a reply in a wrapping": Shape(
        Page({"code": 0, "msg": "ok", "data": {"text": "Hello"}}),
        error="UnreadableReplyError",
        says='“{"code": 0, "msg": "ok", "data": {"text": "Hello"}}”',
    ),
    "a page": Shape(html_page(200, "Log in"), error="UnreadableReplyError", says="“Log in Log in nginx”"),
    "JSON of another kind": Shape(Page({"hello": 1}), error="UnreadableReplyError", says='“{"hello": 1}”'),
    "text": Shape(
        Page(b"Quota used up.", content_type="text/plain"),
        error="UnreadableReplyError",
        says="“Quota used up.”",
    ),
    "text in the stream": Shape(
        Streamed(["So far", Bytes(b"data: Quota used up.\n\n")]),
        "So far",
        error="UnreadableReplyError",
        says="“Quota used up.”",
    ),
    "nothing": Shape(Page(b""), error="UnreadableReplyError", says="it is empty"),
    "hostile text": Shape(
        Page(b"\x1b[2J\x1b]0;x\x07<b>No.</b>\xe2\x80\xae", content_type="text/plain"),
        error="UnreadableReplyError",
        says="“]0;x<b>No.</b>”",
    ),
}

ERRORS_WITH_A_STATUS = {
    "text": Shape(
        Page(b"No.", 500, content_type="text/plain"), error="ServerError", says="(500): it answered"
    ),
    "a page": Shape(html_page(502), error="ServerError", says="“502 Bad Gateway 502 Bad Gateway nginx”"),
    "nothing": Shape(Page(b"", 500), error="ServerError", says="(500): it gave no reason"),
    "detail": Shape(Page({"detail": "No."}, 422), error="BadRequestError", says="(422): No."),
    "details": Shape(
        Page({"detail": [{"msg": "No."}]}, 422), error="BadRequestError", says='[{"msg": "No."}]'
    ),
    "object: error": Shape(
        Page({"object": "error", "message": "No.", "code": 400}, 400),
        error="BadRequestError",
        says="(400): No.",
    ),
    "in a list": Shape(
        Page([{"error": {"code": 400, "message": "No.", "status": "INVALID_ARGUMENT"}}], 400),
        error="BadRequestError",
        says="(400): No.",
    ),
    "a prompt that was filtered": Shape(
        refused(400, "No.", code="content_filter", param="prompt"),
        error="BadRequestError",
        says="→ Ask otherwise, or ask another model.",
    ),
    "402": Shape(refused(402, "No."), error="PermissionDeniedError", says="Top the balance up"),
    "413": Shape(refused(413, "No."), error="BadRequestError", says="Send less"),
    "429, no quota": Shape(
        refused(429, "No.", code="insufficient_quota"), error="RateLimitError", says="The quota is used up"
    ),
    "429, a date": Shape(rate_limited("nonsense"), error="RateLimitError", says="Wait a little"),
    "503, nobody": Shape(
        refused(503, "当前分组 default 下对于模型 x 无可用渠道"),
        error="NotFoundError",
        says="Ask another model",
    ),
    "529": Shape(refused(529, "Overloaded."), error="ServerError", says="(529): Overloaded."),
}

_FOLLOWED = Shape(_moved(307, "/v1/chat/completions?again"), "Hello", then=Streamed(["Hello"]))

REDIRECTS = {
    **{
        f"{status}, another host": Shape(
            _moved(status, "https://elsewhere.invalid/v1/chat/completions"),
            error="GatewayError",
            says=f"redirects ({status}) to https://elsewhere.invalid/v1/chat/completions; nothing was sent",
        )
        for status in (301, 302, 303, 307, 308)
    },
    "a login page": Shape(
        _moved(302, "https://me:s3cret@portal.invalid/login?next=x#top"),
        error="GatewayError",
        says="redirects (302) to https://portal.invalid/login; nothing was sent there",
    ),
    "no address": Shape(Page(b"", 307), error="GatewayError", says="a redirect (307) that says no address"),
    "307, within": _FOLLOWED,
    "308, within": replace(_FOLLOWED, answer=_moved(308, "completions?again")),
}

_RENAMED = "'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."

PARAMETERS = {
    "max_tokens": Shape(
        refused(400, _RENAMED, param="max_tokens", code="unsupported_parameter"),
        "Hello",
        options="--max-tokens 50",
        facts={"notes": ("gpt-4o-mini takes no max_tokens: the limit was sent as max_completion_tokens.",)},
        then=Streamed(["Hello"]),
    ),
    "max_tokens too large": Shape(
        refused(400, "max_tokens is too large: 50. This model supports at most 40."),
        error="BadRequestError",
        says="leave --max-tokens out",
        options="--max-tokens 50",
    ),
    "stream_options": Shape(
        refused(400, "Unknown parameter: 'stream_options'."), "Hello", then=Streamed(["Hello"], usage=None)
    ),
    "temperature": Shape(
        refused(400, "Unsupported value: 'temperature' does not support 0.2.", param="temperature"),
        error="BadRequestError",
        says="leave --temperature out",
        options="--temperature 0.2",
    ),
    "temperature, unnamed": Shape(
        refused(400, "temperature is not supported with this model"),
        error="BadRequestError",
        says="leave --temperature out",
        options="--temperature 0.2",
    ),
    "another parameter": Shape(
        refused(400, "Unknown parameter: 'presence_penalty'."),
        error="BadRequestError",
        says="leave -p presence_penalty out",
        options="-p presence_penalty=1",
    ),
}
