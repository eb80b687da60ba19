"""`metask_magic.map` in a plain script, where there is no IPython."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import textwrap
from typing import Any

import pytest

from metask_magic.errors import OptionError

from ..gateway_server import GatewayServer, refused
from ..kernel import ROOT, clean_environment


def run_script(gateway: GatewayServer, code: str) -> subprocess.CompletedProcess[str]:
    """Run a script that asks the gateway."""
    env = clean_environment(os.environ) | {
        "METASK_API_KEY": gateway.api_key,
        "METASK_BASE_URL": gateway.base_url,
        "PYTHONPATH": str(ROOT),
    }
    command = [sys.executable, "-c", textwrap.dedent(code)]
    with tempfile.TemporaryDirectory() as folder:  # what it records must not answer another test
        return subprocess.run(
            command, env=env, cwd=folder, capture_output=True, text=True, timeout=120, check=False
        )


def test_a_script(gateway: GatewayServer) -> None:
    done = run_script(
        gateway,
        """
        import metask_magic
        rows = metask_magic.map(
            ({"n": n} for n in range(3)), "{{ hero }} {{ n }}", model="gpt-4o-mini", names={"hero": "Ada"},
            max_concurrency=1, requests_per_minute=60_000, temperature=0,
        )
        print([row["reply"] for row in rows])
        """,
    )
    assert done.stdout == "['Ada 0', 'Ada 1', 'Ada 2']\n"
    assert "3row" in done.stderr
    assert gateway.most_at_once == 1


def test_the_table_of_a_failure(gateway: GatewayServer) -> None:
    gateway.answer_with(lambda _: refused(401, "No."))
    done = run_script(
        gateway,
        """
        import metask_magic
        try:
            metask_magic.map([{"n": 1}, {"n": 2}], "{{ n }}", model="gpt-4o", quiet=True, max_concurrency=1)
        except metask_magic.MetaskError as error:
            print(type(error).__name__, error.table[1]["reply_error"], "as its `table`" in str(error))
        """,
    )
    assert (done.stdout, done.stderr) == ("AuthenticationError not asked True\n", "")


def call(**options: Any) -> Any:
    import metask_magic

    return metask_magic.map([{"n": 1}], "{{ n }}", **options)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"limit": 0}, "limit=0 leaves nothing to ask"),
        ({"sample": 0}, "sample=0 leaves nothing to ask"),
        ({"stream": True}, "stream is no parameter"),
        ({"n": 2}, "n=2 asks for several answers"),
        ({"max_tokens": 1, "max_completion_tokens": 2}, "say the same thing twice"),
        ({"schema": int, "response_format": {}}, "schema= and response_format="),
        ({"model": "a b"}, "cannot be the name of a model"),
    ],
)
def test_mistakes(options: dict[str, Any], says: str) -> None:
    with pytest.raises(OptionError, match=says):
        call(**options)


def test_what_is_no_result_is_not_retried() -> None:
    import metask_magic

    with pytest.raises(OptionError, match="no column reply_error"):
        metask_magic.retry_failed([{"n": 1}], "{{ n }}")


def test_no_rows() -> None:
    import metask_magic

    assert metask_magic.map([], "{{ n }}") == []
    assert metask_magic.map(iter([]), "{{ n }}") == []
