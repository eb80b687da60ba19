"""The code of a reply: what the user wants in the next cell, out of what models write around it."""

from __future__ import annotations

import pytest

from metask_magic.chat.code import find_code
from metask_magic.chat.reply import CodeBlock

ONE = "Here you go:\n\n```python\nx = 1\nprint(x)\n```\n\nThis prints 1.\n"
REPLIES = {
    "prose around": (ONE, "x = 1\nprint(x)"),
    "CRLF": (ONE.replace("\n", "\r\n"), "x = 1\nprint(x)"),
    "shell before": (
        "First install it:\n```bash\npip install pandas\n```\nThen:\n```python\nimport pandas\n```",
        "import pandas",
    ),
    "output after": ("```python\nprint(6 * 7)\n```\nOutput:\n```\n42\n```", "print(6 * 7)"),
    "named output after": ("```py\nprint(6 * 7)\n```\n```text\n42\n```", "print(6 * 7)"),
    "other names": ("```ipython3\na = 1\n```\n\n```Python3\nb = 2\n```", "a = 1\n\nb = 2"),
    "a title in the fence": ('```python title="app.py"\na = 1\n```', "a = 1"),
    "R Markdown": ("```{python}\na = 1\n```", "a = 1"),
    "Pandoc": ("```{.python .numberLines}\na = 1\n```", "a = 1"),
    "unlabelled": ("```\nprint(1)\n```", "print(1)"),
    "unlabelled with a mistake": ("Try:\n```\nprint 1\n```", "print 1"),
    "unlabelled, output after": ("```\nx = 1\nprint(x)\n```\nprints\n```\n1\n```", "x = 1\nprint(x)"),
    "unlabelled, shell before": ("```sh\npip install x\n```\n```\nimport x\n```", "import x"),
    "unclosed": ("Sure:\n```python\nfor x in y:\n    print(x)", "for x in y:\n    print(x)"),
    "four backticks": (
        '````python\ntext = """\n```sh\nls\n```\n"""\n````',
        'text = """\n```sh\nls\n```\n"""',
    ),
    "all in a fence": ("````markdown\nSo:\n```python\nx = 1\n```\n````", "x = 1"),
    "tildes": ("~~~python\nx = 1\n~~~", "x = 1"),
    "in a list": ("1. Do this:\n\n   ```python\n   if a:\n       b()\n   ```\n2. Done.", "if a:\n    b()"),
    "steps": (
        "Load it:\n```python\ndf = load()\n```\nthen plot:\n```python\ndf.plot()\n```",
        "df = load()\n\ndf.plot()",
    ),
    "steps, then all of it": (
        "```python\ndf = load()\n```\n```python\ndf.plot()\n```\nTogether:\n"
        "```python\nimport x\n\ndf = load()\n\ndf.plot()\n```",
        "import x\n\ndf = load()\n\ndf.plot()",
    ),
    "all of it, then its parts": (
        "```python\ndef f():\n    return 1\n\nf()\n```\nThe call is\n```python\nf()\n```",
        "def f():\n    return 1\n\nf()",
    ),
    "twice the same": ("```python\nx = 1\n```\nAgain:\n```python\nx = 1\n```", "x = 1"),
    "a cell magic among Python": ("```python\n%%bash\nls\n```\n```python\nx = 1\n```", "x = 1"),
    "a cell magic alone": ("```python\n%%time\nx = 1\n```", "%%time\nx = 1"),
    "a line magic": ("```python\n%pip install x\nimport x\n```", "%pip install x\nimport x"),
    "prompts": (
        "```pycon\n>>> for x in y:\n...     print(x)\n...\n1\n>>> z\n2\n```",
        "for x in y:\n    print(x)\n\nz",
    ),
    "prompts in a python fence": ("```python\n>>> 1 + 1\n2\n```", "1 + 1"),
    "no fence": ("import math\n\nprint(math.pi)\n", "import math\n\nprint(math.pi)"),
    "no fence, CRLF": ("import math\r\nprint(math.pi)\r\n", "import math\nprint(math.pi)"),
    "a form feed in a string": ("```python\nx = 'a\x0cb'\n```", "x = 'a\x0cb'"),
    "no fence, a magic": ("%matplotlib inline\nplot(x)", "%matplotlib inline\nplot(x)"),
    "no fence, prompts": (">>> f(1)\n1", "f(1)"),
}


@pytest.mark.parametrize(("text", "code"), REPLIES.values(), ids=REPLIES)
def test_the_code_of_a_reply(text: str, code: str) -> None:
    assert find_code(text) == CodeBlock("python", code)


NO_CODE = {
    "nothing": "",
    "prose": "I cannot do this without the data. Which columns are there?",
    "one word": "Sure",
    "words that parse": "well-known",
    "a number": "42",
    "a sum": "1 + 1",
    "inline code": "Use `print(1)` for this.",
    "another language": "```js\nconsole.log(1)\n```",
    "shell": "```bash\npip install x\n```",
    "an empty fence": "```python\n```",
    "unlabelled outputs": "```\n42\n```\nor\n```\nhello\n```",
    "a table in a fence of Markdown": "```markdown\n| a | b |\n```",
}


@pytest.mark.parametrize("text", NO_CODE.values(), ids=NO_CODE)
def test_no_code(text: str) -> None:
    assert find_code(text) is None


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("```python\nx\n```\n```sql\nSELECT 1\n```", "SELECT 1"),
        ("```\nSELECT 1\n```", "SELECT 1"),
        ("```python\nx\n```", None),
        ("print(1)", None),
    ],
)
def test_another_language(text: str, code: str | None) -> None:
    found = find_code(text, "sql")
    assert found == (None if code is None else CodeBlock("sql", code))
