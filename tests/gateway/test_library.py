"""The official library, imported lean: nothing of it is missing, and what is not needed comes when it is."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import textwrap
from collections.abc import Mapping

import pytest

pytestmark = pytest.mark.kernel

LEAN = "from metask_magic.gateway.library import import_library; openai = import_library()\n"


def run(program: str, given: str = "") -> str:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(program)],
        input=given,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_it_is_lean() -> None:
    """Fails where the library is laid out otherwise: then look again at what its import costs."""
    counted = "import sys; print(len([name for name in sys.modules if name.startswith('openai')]))"
    lean, whole = int(run(LEAN + counted)), int(run(f"import openai\n{counted}"))
    assert lean < whole / 2
    assert run(LEAN + "import sys; print('openai.types.responses.response' in sys.modules)") == "False"


USES = {
    "a name of a package": "print(openai.types.Batch.__name__, openai.types.chat.ChatCompletion.__name__)",
    "from a package": "from openai.types.chat import ChatCompletion; print(ChatCompletion.__name__)",
    "all of a package": "from openai.types import *; print(Batch.__name__, Model.__name__)",
    "a package's package": "import openai.types.responses as r; print(r.Response.__name__)",
    "a module": "from openai.types.chat.chat_completion import Choice; print(Choice.__name__)",
    "the directory": "print('Batch' in dir(openai.types), 'ChatCompletion' in dir(openai.types.chat))",
    "tools": "print(openai.pydantic_function_tool.__name__)",
    "what there is not": "print(hasattr(openai.types, 'Nothing'), hasattr(openai.types, '__nothing__'))",
    "a client": "c = openai.OpenAI(api_key='x'); print(c.chat.completions.create.__name__, c.responses)",
    "another import of it": "import openai as again; print(again is openai, again.types is openai.types)",
    "pickling": (
        "import pickle; from openai.types import Model\n"
        "m = Model(id='m', created=1, object='model', owned_by='o')\n"
        "print(pickle.loads(pickle.dumps(m)) == m)"
    ),
    "the finder gone": "import sys; print([f for f in sys.meta_path if 'metask' in type(f).__module__])",
}


ALL_AT_ONCE = """
import contextlib, io, json, openai
said = {}
for name, use in json.loads(input()).items():
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(use, {"openai": openai})
    said[name] = printed.getvalue().strip()
print(json.dumps(said))
"""


@pytest.fixture(scope="module")
def whole() -> Mapping[str, str]:
    """What each use says of the library as it is: in one process, as none depends on what went before."""
    said: Mapping[str, str] = json.loads(run(ALL_AT_ONCE, json.dumps(USES)))
    return said


@pytest.mark.parametrize("name", USES)
def test_nothing_is_missing(name: str, whole: Mapping[str, str]) -> None:
    address = re.compile("0x[0-9a-f]+")
    assert address.sub("", run(LEAN + USES[name])) == address.sub("", whole[name])


def test_one_that_is_there_is_taken() -> None:
    assert run(f"import openai as own\n{LEAN}print(own is openai)") == "True"


def test_many_threads_at_once() -> None:
    program = """
    import threading
    names = ["types.Batch", "types.chat.ChatCompletion", "types.responses.Response", "lib.ResponseFormatT"]
    found, barrier = [], threading.Barrier(16)
    def look(name):
        value = openai
        barrier.wait()
        for part in name.split("."):
            value = getattr(value, part)
        found.append(value)
    threads = [threading.Thread(target=look, args=(names[at % 4],)) for at in range(16)]
    for thread in threads: thread.start()
    for thread in threads: thread.join(60)
    print(len(found), len(set(map(id, found))))
    """
    assert run(LEAN + textwrap.dedent(program)) == "16 4"
