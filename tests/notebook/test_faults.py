"""What can go wrong, through a real kernel: the remedy is named, what came is kept, no key shows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from ..gateway_server import (
    CUT,
    HALF_EVENT,
    MALFORMED,
    RESET,
    STALL,
    Answer,
    GatewayServer,
    Hangup,
    Page,
    Silent,
    Streamed,
    bad_parameter,
    error_event,
    html_page,
    no_credit,
    rate_limited,
    refused,
    server_error,
)
from ..kernel import Kernel, published
from .conftest import split, value


@dataclass(frozen=True)
class Fault:
    """An answer, and what the user must be told."""

    answer: Answer
    error: str
    says: str
    remedy: str
    kept: str = ""


FAULTS = {
    "400 parameter": Fault(
        bad_parameter("temperature"), "BadRequestError", "(400)", "Change or drop the parameter temperature"
    ),
    "401": Fault(
        refused(401, "revoked"), "AuthenticationError", "(401): revoked", "came from METASK_API_KEY"
    ),
    "403": Fault(no_credit(), "PermissionDeniedError", "(403)", "balance is zero"),
    "404 address": Fault(
        Page(b"nothing here", 404, content_type="text/plain"),
        "NotFoundError",
        "does not answer as it should (404)",
        "ends in /v1",
    ),
    "422": Fault(refused(422, "bad shape"), "BadRequestError", "bad shape", "--dry-run"),
    "429 for long": Fault(rate_limited(retry_after=3600), "RateLimitError", "(429)", "Wait 3600 s"),
    "429 no quota": Fault(
        refused(429, "quota", code="insufficient_quota"), "RateLimitError", "quota", "top it up"
    ),
    "418": Fault(refused(418, "teapot"), "GatewayError", "(418): teapot", "Metask.base_url"),
    "500": Fault(server_error(), "ServerError", "(500)", "in a moment"),
    "502 page": Fault(html_page(502), "ServerError", "(502): it answered with a page", "in a moment"),
    "200 page": Fault(html_page(200), "UnreadableReplyError", "answered with text/html", "Metask.base_url"),
    "200 JSON": Fault(Page({"hello": 1}), "UnreadableReplyError", "application/json", "Metask.base_url"),
    "no answer": Fault(Silent(), "ReplyTimeoutError", "within 0.3 s", "Metask.timeout = 0.6"),
    "hang-up": Fault(Hangup(), "ConnectionFailedError", "failed", "check the network"),
    "stall": Fault(
        Streamed(["so ", "far", STALL]),
        "StreamStalledError",
        "Nothing more came for 0.3 s",
        "timeout",
        "so far",
    ),
    "cut": Fault(Streamed(["so ", "far", CUT]), "StreamCutError", "was cut", "Run the cell again", "so far"),
    "reset": Fault(Streamed(["so far", RESET]), "StreamCutError", "was cut", "Run the cell again", "so far"),
    "malformed": Fault(
        Streamed(["so far", MALFORMED]), "UnreadableReplyError", "unreadable", "--no-stream", "so far"
    ),
    "error in stream": Fault(
        Streamed(["so far", error_event("overloaded")]),
        "ServerError",
        "overloaded",
        "another model",
        "so far",
    ),
}


NOTHING = "It failed before any text came."


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
@pytest.mark.parametrize("metadata", [None, {"cellId": "a"}], ids=["nobody", "notebook"])
def test_a_fault_is_explained_and_nothing_is_lost(
    asking: Kernel, gateway: GatewayServer, fault: Fault, metadata: dict[str, str] | None
) -> None:
    asking.run("%config Metask.max_retries = 0\n%config Metask.timeout = 0.3\nkept = None")
    gateway.script(fault.answer)
    cell = asking.run("%%metask gpt-4o-mini -o kept\nHi", metadata=metadata)
    assert cell.error is not None
    shown = "\n".join(cell.error["traceback"])
    assert cell.error["ename"] == fault.error
    assert fault.says in shown
    assert fault.remedy in shown
    assert "File " not in shown, "no traceback of ours"
    reply = asking.run("print(repr((kept.text, kept.finish_reason, _ is kept, str(kept.error))))").text()
    assert reply.startswith(f"({fault.kept!r}, 'error', True, ")
    shown_text = [output["data"]["text/plain"] for output in cell.displays]
    live = [NOTHING] if metadata else []  # its display was there before the reply, and stays
    assert shown_text == ([fault.kept] if fault.kept else live)
    assert value(asking, f"Out[{cell.reply['execution_count']}] is kept") == "True"


def test_a_wrong_key_is_never_repeated(fresh_kernel: Kernel, gateway: GatewayServer) -> None:
    kernel = fresh_kernel
    wrong = "sk-wrong-5ecr3t-value"
    kernel.run(
        f"%load_ext metask_magic\nimport os\nos.environ['METASK_API_KEY'] = {split(wrong)}\n"
        f"%config Metask.base_url = '{gateway.base_url}'"
    )
    cell = kernel.run("%%metask gpt-4o-mini\nHi")
    assert cell.error is not None
    assert "Incorrect API key provided: [key]" in cell.error["evalue"]
    for code in ("%tb", "%xmode Verbose\n%tb", "%%metask gpt-4o-mini\nHi", "%xmode Context\n%metask"):
        kernel.run(code)
    for code in ("%config Metask", "%config Metask.api_key", "get_ipython().config", "_.error, vars(_)"):
        kernel.run(
            f"get_ipython().magics_manager.registry['MetaskMagics']._settings.api_key = {split(wrong)}"
        )
        kernel.run(code)
    assert not kernel.has_sent(wrong)


UNREACHABLE = {
    "DNS": (
        "https://no-such-host.invalid/v1",
        {},
        "NameResolutionError",
        "no-such-host.invalid has no address",
    ),
    "refused": ("http://127.0.0.1:9/v1", {}, "HostRefusedError", "Nothing answers at 127.0.0.1:9"),
    "proxy": (
        "https://gateway.invalid/v1",
        {"HTTPS_PROXY": "http://user:s3cret@127.0.0.1:9"},
        "ProxyError",
        "through the proxy 127.0.0.1:9",
    ),
    "SOCKS": (
        "https://gateway.invalid/v1",
        {"ALL_PROXY": "socks5://127.0.0.1:9"},
        "ProxyError",
        "httpx2[socks]",
    ),
    "http": ("http://gateway.invalid/v1", {}, "SettingError", "Metask.allow_http = True"),
}


@pytest.mark.parametrize(("url", "env", "error", "says"), UNREACHABLE.values(), ids=UNREACHABLE)
def test_an_unreachable_gateway_is_explained(
    start_kernel: Callable[..., Kernel], url: str, env: dict[str, str], error: str, says: str
) -> None:
    kernel = start_kernel(METASK_API_KEY="sk-made-up", METASK_BASE_URL=url, **env)
    cell = kernel.run("%load_ext metask_magic\n%metask gpt-4o-mini Hi")
    assert cell.error is not None
    assert cell.error["ename"] == error
    assert says in "\n".join(cell.error["traceback"])
    assert "s3cret" not in "\n".join(cell.error["traceback"])
    assert not kernel.has_sent("sk-made-up")
    assert kernel.run("1").displays


def test_a_certificate_nobody_signed_is_explained(
    start_kernel: Callable[..., Kernel], tls_gateway: GatewayServer
) -> None:
    env = {"METASK_API_KEY": tls_gateway.api_key, "METASK_BASE_URL": tls_gateway.base_url}
    refusing = start_kernel(**env)
    cell = refusing.run("%load_ext metask_magic\n%metask gpt-4o-mini Hi")
    assert cell.error is not None
    assert cell.error["ename"] == "TLSError"
    assert "SSL_CERT_FILE" in "\n".join(cell.error["traceback"])
    assert not refusing.has_sent(tls_gateway.api_key)
    trusting = start_kernel(**env, SSL_CERT_FILE=str(tls_gateway.ca))
    assert (
        trusting.run("%load_ext metask_magic\n%metask gpt-4o-mini Hi").displays[0]["data"]["text/plain"]
        == "Hi"
    )


@pytest.mark.parametrize(
    ("answer", "text", "reason", "says"),
    [
        (Streamed(["so far"], finish_reason=None, done=False), "so far", "incomplete", "Perhaps cut off"),
        (
            Streamed(["so far", HALF_EVENT], finish_reason=None, done=False, usage=None),
            "so far",
            "incomplete",
            "Perhaps cut off",
        ),
        (Streamed(["all"], finish_reason=None), "all", "stop", ""),
        (Streamed(["all"], done=False), "all", "stop", ""),
        (Streamed(["cut short"], finish_reason="length"), "cut short", "length", "Cut off at"),
        (Streamed(["all"], finish_reason="end_turn"), "all", "stop", ""),
    ],
)
def test_a_stream_that_just_ends_says_so(
    asking: Kernel, gateway: GatewayServer, answer: Streamed, text: str, reason: str, says: str
) -> None:
    gateway.script(answer)
    cell = asking.run("%%metask gpt-4o-mini -o kept\nHi")
    assert cell.displays[0]["data"]["text/plain"] == text
    assert cell.displays[0]["data"]["text/markdown"].startswith(f"{text}\n\n> {says}" if says else text)
    assert value(asking, "kept.finish_reason") == repr(reason)
    assert cell.text("stderr") == ""


@pytest.mark.parametrize("parts", [["so far", STALL], [STALL]], ids=["mid-stream", "before the first byte"])
def test_an_interrupt_ends_a_stalled_stream(
    asking: Kernel, gateway: GatewayServer, parts: list[object]
) -> None:
    gateway.script(Streamed(parts))  # type: ignore[arg-type]  # a table of parts
    cell = asking.start_run("%%metask gpt-4o-mini -o kept\nHi", metadata={"cellId": "a"})
    if parts != [STALL]:
        cell.wait_for(published("comm_msg", containing="so far"))
    (request,) = gateway.wait_for_requests(1)
    asking.interrupt()  # how long it takes is for the benchmarks
    finished = cell.finish()
    assert request.disconnected.wait(30)
    assert finished.error is not None
    assert finished.error["ename"] == "Interrupted"
    kept = "so far" if parts != [STALL] else ""
    assert value(asking, "kept.text, kept.finish_reason, _ is kept") == f"({kept!r}, 'interrupted', True)"
    (output,) = finished.displays
    assert output["data"]["text/plain"] == (kept or "Stopped before any text came.")
    assert "> Stopped before" in output["data"]["text/markdown"]


def test_impatient_interrupts_lose_nothing(asking: Kernel, gateway: GatewayServer) -> None:
    gateway.script(Streamed(["so far", STALL]))
    cell = asking.start_run("%%metask gpt-4o-mini -o kept\nHi", metadata={"cellId": "a"})
    cell.wait_for(published("comm_msg", containing="so far"))
    for _ in range(5):
        asking.interrupt()
    cell.finish()
    assert value(asking, "kept.text, kept.finish_reason") == "('so far', 'interrupted')"


MISTAKES = {
    "undefined": ("%%metask gpt-4o-mini\n{{ a }} {{ b }}", "PromptError", "a and b are not defined"),
    "attribute": ("%%metask gpt-4o-mini\n{{ os.nope }}", "PromptError", "has no attribute 'nope'"),
    "raises": ("%%metask gpt-4o-mini\n{{ 1 / 0 }}", "PromptError", "ZeroDivisionError"),
    "template": ("%%metask gpt-4o-mini\nline\n{{ 1 + }}", "PromptError", "mistake in line 2"),
    "empty": ("%%metask gpt-4o-mini\n\n", "PromptError", "The prompt is empty"),
    "option": ("%%metask --tempurature 1\nHi", "OptionError", "--tempurature"),
    "number": ("%%metask --temperature hot\nHi", "OptionError", "invalid float value"),
    "quotation mark": ("%%metask -s 'open\nHi", "OptionError", "never closed"),
    "param": ("%%metask -p stop=END\nHi", "OptionError", 'stop="END"'),
    "own param": ("%%metask -p messages=[]\nHi", "OptionError", "cannot set messages"),
    "name": ("%%metask -o 2x\nHi", "OptionError", "'2x' is no name"),
    "model": ("%%metask 'gpt 4'\nHi", "OptionError", "cannot be the name of a model"),
    "no prompt": ("%metask modles", "OptionError", "Did you mean `%metask models`"),
    "no match": ("%metask models gtp-4o", "MetaskError", "Did you mean gpt-4o"),
    "unknown model": ("%%metask gpt-4o-mni\nHi", "NotFoundError", "Did you mean gpt-4o-mini"),
}


@pytest.mark.parametrize(("code", "error", "says"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_explained(
    asking: Kernel, gateway: GatewayServer, code: str, error: str, says: str
) -> None:
    asking.run("import os")
    cell = asking.run(code)
    assert cell.error is not None
    assert cell.error["ename"] == error
    assert says in "\n".join(cell.error["traceback"])
    assert len(gateway.chats) == (1 if error == "NotFoundError" else 0), "nothing is sent"


def test_no_key_is_explained(start_kernel: Callable[..., Kernel]) -> None:
    cell = start_kernel().run("%load_ext metask_magic\n%metask gpt-4o-mini Hi")
    assert cell.error is not None
    assert "%metask login" in cell.error["evalue"]
    assert "%%metask local" in cell.error["evalue"]
