"""A request as a script: what the Python one sends (run here, its network replaced), and the form of all."""

from __future__ import annotations

import ast
import functools
import importlib.util
import json
import pickle
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from metask_magic.chat.reply import Reply, ReplyBuilder
from metask_magic.errors import MetaskError
from metask_magic.gateway.embedded import LOCAL
from metask_magic.language import choose
from metask_magic.messages.request import Message, Request
from metask_magic.scripts.export import EMBEDDED, LANGUAGES, NO_KEY, Code, to_code, without

from ..english import english_sentences
from .export_cases import CASES, HELLO, HOSTILE, SCHEMA, WEATHER, asking
from .test_literals import TEXTS, VALUES

BASE_URL = "https://gateway.example/v1"
RUFF = importlib.util.find_spec("ruff")

Send = Callable[[Request], Any]


@pytest.fixture
def send(monkeypatch: pytest.MonkeyPatch) -> Send:
    """Run a request's Python script in this process, and return the body that it would have sent."""
    import httpx2
    import openai

    bodies: list[Any] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        bodies.append(json.loads(request.content))
        if bodies[-1].get("stream"):
            return httpx2.Response(
                200, text="data: [DONE]\n\n", headers={"content-type": "text/event-stream"}
            )
        return httpx2.Response(200, json={"choices": [{"message": {"role": "assistant", "content": "Yes"}}]})

    client = openai.DefaultHttpx2Client(transport=httpx2.MockTransport(answer))
    monkeypatch.setattr(openai, "OpenAI", functools.partial(openai.OpenAI, http_client=client))
    monkeypatch.setenv("METASK_API_KEY", "sk-made-up")

    def run(request: Request) -> Any:
        exec(compile(to_code(request, BASE_URL, "python"), "script.py", "exec"), {"__name__": "__main__"})  # noqa: S102
        return bodies.pop()

    return run


@pytest.mark.parametrize("request_", CASES.values(), ids=CASES)
def test_python_sends_the_request(send: Send, request_: Request) -> None:
    assert send(request_) == request_.to_json()


@pytest.mark.parametrize("text", [text for text in HOSTILE if "\\ud" not in ascii(text)], ids=ascii)
def test_python_sends_any_text(send: Send, text: str) -> None:
    assert send(asking(text)) == asking(text).to_json()


PARAMS = st.dictionaries(
    st.sampled_from(["stop", "top_k", "metadata", "logit_bias", "self", "timeout", "extra_headers"])
    | st.text(),
    VALUES.filter(lambda value: "\\ud" not in ascii(value)),
    max_size=4,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(
    st.lists(st.builds(Message, st.sampled_from(["system", "user", "assistant"]), st.text()), max_size=3),
    PARAMS,
    st.booleans(),
)
def test_python_sends_any_request(
    send: Send, messages: list[Message], params: dict[str, Any], stream: bool
) -> None:
    own = {"model", "messages", "stream"}
    request = Request("m", tuple(messages), {k: v for k, v in params.items() if k not in own}, stream)
    assert send(request) == request.to_json()


@given(st.lists(TEXTS, max_size=3), st.dictionaries(TEXTS, VALUES, max_size=3))
def test_curl_has_any_request(texts: list[str], params: dict[str, Any]) -> None:
    request = Request("m", tuple(Message("user", text) for text in texts), params)
    assert heredoc(to_code(request, BASE_URL, "curl")) == request.to_json()


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_curl_has_any_text(text: str) -> None:
    assert heredoc(to_code(asking(text), BASE_URL, "curl")) == asking(text).to_json()


def heredoc(script: str) -> Any:
    """Read the body as bash and curl do: up to the first line that is the delimiter, without line breaks."""
    _, _, rest = script.partition("<<'")
    end, _, rest = rest.partition("'\n")
    body, _, after = f"\n{rest}".partition(f"\n{end}\n")
    assert after == ""
    return json.loads(body.replace("\n", ""))


@pytest.mark.skipif(RUFF is None, reason="ruff is not installed: the layout of the Python is not checked")
def test_python_is_formatted(tmp_path: Any) -> None:
    requests = [*CASES.values(), *map(asking, HOSTILE)]
    for number, request in enumerate(requests):
        code = to_code(request, BASE_URL, "python")
        tmp_path.joinpath(f"script_{number:03}.py").write_text(code, encoding="utf-8")
    for command in (["check", "--select=E4,E7,E9,F,W,I,UP,B,SIM"], ["format", "--check", "--diff"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "--isolated", "--no-cache", str(tmp_path)],
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_any_text_can_be_saved_and_shown(language: str, text: str) -> None:
    code = to_code(asking(text), BASE_URL, language)
    assert code.encode().decode() == code
    assert code.endswith("\n")
    assert not code.endswith("\n\n")
    fence, _, rest = code.to_markdown().partition("\n")
    ticks = fence.rstrip("abcdefghijklmnopqrstuvwxyz")
    assert rest == f"{code}{ticks}\n"
    assert ticks not in code


def test_long_texts_are_constants() -> None:
    tree = ast.parse(to_code(CASES["two pictures"], BASE_URL, "python"))
    values = {
        node.targets[0].id: node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and isinstance(node.value, ast.Constant)
    }
    assert list(values) == ["IMAGE", "PROMPT", "IMAGE_2", "ANSWER"]
    assert values["PROMPT"] == "Which?\nSay it."


@pytest.mark.parametrize(
    ("request_", "language", "lines"),
    [
        (CASES["hello"], "python", ['    messages=[{"role": "user", "content": "Hello!"}],']),
        (CASES["hello"], "node", ['  messages: [{ role: "user", content: "Hello!" }],', "  stream: true,"]),
        (CASES["hello"], "curl", ['  "messages": [{"role": "user", "content": "Hello!"}],']),
        (CASES["hello"], "python", [f'    base_url="{BASE_URL}",', "    stream=True,"]),
        (CASES["hello"], "node", [f'  baseURL: "{BASE_URL}",']),
        (CASES["hello"], "curl", [f"  {BASE_URL}/chat/completions <<'EOF'"]),
        (CASES["schema"], "python", ['            "name": "Person",']),
        (CASES["tools"], "python", ['    tool_choice="auto",']),
        (
            Request("m", (HELLO,), {"a": 1, "top_p": 1}),
            "python",
            ["    top_p=1,", '    extra_body={"a": 1},'],
        ),
        (Request("m", (Message("user", "a\nb"),)), "python", ['PROMPT = """\\', "a", 'b"""']),
        (Request("m", (Message("user", "a\nb"),)), "node", ["const PROMPT = `\\", "a", "b`;"]),
        (Request("m", (Message("user", "a\nb"),)), "curl", ['      "content": "a\\n', 'b"']),
    ],
)
def test_form(request_: Request, language: str, lines: list[str]) -> None:
    assert [line for line in lines if line not in to_code(request_, BASE_URL, language).split("\n")] == []


@pytest.mark.parametrize("base_url", ["http://[::1]:8000/v1/", "https://a.example/it's/$HOME?x={y}"])
def test_base_url(base_url: str) -> None:
    for language in ("python", "node"):
        assert f'"{base_url}"' in to_code(CASES["hello"], base_url, language)
    command = to_code(CASES["hello"], base_url, "curl").partition("  --data @- \\\n")[2].partition(" <<")[0]
    said = subprocess.run(["sh", "-c", f"printf %s {command}"], capture_output=True, text=True).stdout
    assert said == f"{base_url.rstrip('/')}/chat/completions"


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_key_is_looked_up(language: str) -> None:
    code = to_code(CASES["hello"], BASE_URL, language)
    assert NO_KEY in code
    assert code.index("METASK_API_KEY") < code.index("OPENAI_API_KEY")


@pytest.mark.parametrize(
    ("params", "language", "message"),
    [
        ({}, "perl", "There is no script in 'perl'. The languages are python, node, curl."),
        ({"x": [{"y": float("nan")}]}, "python", "JSON has no number nan: this request cannot be sent."),
        ({"x": float("-inf")}, "curl", "JSON has no number -inf: this request cannot be sent."),
        (
            {"seed": 2**53 + 1},
            "node",
            "JavaScript has no number 9007199254740993: it would send another."
            " Take the script in python or curl.",
        ),
    ],
)
def test_refused(params: dict[str, Any], language: str, message: str) -> None:
    with pytest.raises(MetaskError) as caught:
        to_code(Request("m", (HELLO,), params), BASE_URL, language)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("params", "language", "message"),
    [
        ({}, "perl", "没有 'perl' 语言的脚本。可用的语言有 python、node、curl。"),
        ({"x": float("inf")}, "curl", "JSON 无法表示数字 inf：这个请求不能发送。"),
        (
            {"seed": 2**53 + 1},
            "node",
            "JavaScript 无法精确表示数字 9007199254740993：发送的会是另一个数。改用 python 或 curl 的脚本。",
        ),
    ],
)
def test_refused_in_chinese(params: dict[str, Any], language: str, message: str) -> None:
    choose("zh")
    with pytest.raises(MetaskError) as caught:
        to_code(Request("m", (HELLO,), params), BASE_URL, language)
    assert str(caught.value) == message


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", ["tools", "hello"])
def test_only_comments_speak_the_language(language: str, name: str) -> None:
    english = to_code(CASES[name], BASE_URL, language).splitlines()
    choose("zh")
    chinese = to_code(CASES[name], BASE_URL, language).splitlines()
    changed = [said for before, said in zip(english, chinese, strict=True) if before != said]
    assert "向语言模型发出的一个请求，由 metask-magic 生成。" in changed[0]
    assert all(line.startswith(("# ", "// ", '"""')) for line in changed)
    said = {sentence for line in changed for sentence in english_sentences(line)}
    assert said <= {"pip install openai", "npm install openai"}
    assert len(changed) == 1 + (name == "tools") * (language != "curl") + 2 * (language == "curl")


def test_a_key_is_taken_out_of_every_text() -> None:
    key = "sk-secret"
    request = Request(
        key,
        (*asking(f"a {key} b").messages, *CASES["turns with tools"].messages),
        {key: [{key: key}]},
        tools=(WEATHER, {"x": (key,)}),  # type: ignore[dict-item]  # a tuple is sent too
        response_format={**SCHEMA, "y": key},
    )
    hidden = without(request, lambda text: text.replace(key, "[key]"))
    assert key not in repr(hidden)
    assert json.loads(json.dumps(hidden.to_json())) == json.loads(
        json.dumps(request.to_json()).replace(key, "[key]")
    )
    for language in LANGUAGES:
        assert key not in to_code(hidden, BASE_URL, language)


# -- the reply --------------------------------------------------------------------------------------------


def reply(**fields: Any) -> Reply:
    return Reply(**{"text": "Hi!", "requested_model": "gpt-4o-mini", "finish_reason": "stop"} | fields)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_reply_knows_its_request(language: str) -> None:
    asked = reply(request=CASES["hello"], base_url=BASE_URL)
    code = asked.as_code(language)
    assert code == to_code(CASES["hello"], BASE_URL, language)
    assert code.language == language
    assert asked == reply(), "provenance is no part of the value"


def test_python_is_the_language_where_none_is_named() -> None:
    assert reply(request=CASES["hello"], base_url=BASE_URL).as_code().language == "python"


def test_the_builder_keeps_the_request() -> None:
    assert ReplyBuilder(CASES["tools"]).build().request is CASES["tools"]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({}, "This reply does not say what was asked, and where."),
        ({"request": CASES["hello"]}, "This reply does not say what was asked, and where."),
        (
            {"requested_model": LOCAL, "request": CASES["hello"], "base_url": BASE_URL},
            "The embedded model has no address that lasts.",
        ),
    ],
)
def test_no_script_of_it(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(MetaskError) as caught:
        reply(**fields).as_code()
    assert caught.value.message == message
    assert caught.value.remedy


def test_the_embedded_model_has_one_name() -> None:
    assert EMBEDDED == LOCAL


def test_code_is_a_string() -> None:
    code = Code("print(1)\n", "python")
    assert code == "print(1)\n"
    assert pickle.loads(pickle.dumps(code)).language == "python"
    assert Code("```\n````\n", "curl").to_markdown() == "`````bash\n```\n````\n`````\n"


def test_code_is_printed_without_quotes() -> None:
    from IPython.lib.pretty import pretty

    assert pretty(Code("print('a')\n", "python")) == "print('a')\n"
