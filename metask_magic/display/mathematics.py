r"""Mathematics as Jupyter reads it: `$…$` and `$$…$$` alone.

Many models write `\(…\)` and `\[…\]`, of which Markdown eats the backslashes.
"""

from __future__ import annotations

import re

# Fenced blocks and code spans; what is in them stays as it is.
_CODE = re.compile(
    r"""
      ^[ ]{0,3}(?P<fence>```+|~~~+)[^\n]*\n (?: .*?^[ ]{0,3}(?P=fence) | .* )
    | (?<!`)(?P<ticks>`++) .*? (?<!`)(?P=ticks)(?!`)
    """,
    re.DOTALL | re.MULTILINE | re.VERBOSE,
)
# Neither may hold a mark of its own kind: so a flood of them is read once, and not once for each.
_INLINE = re.compile(r"(?<!\\)\\\(((?:[^$\n\\]|\\(?![()]))+)(?<!\\)\\\)")
_DISPLAY = re.compile(
    r"^([ \t]*)\\\[[ \t]*((?:[^$\n\\]|\\(?![\[\]])|\n(?![ \t]*\n))+)\\\][ \t]*$", re.MULTILINE
)


def with_dollars(text: str) -> str:
    r"""Return `text` with `$…$` for `\(…\)`, and `$$…$$` for `\[…\]` on lines of its own, but not in code."""
    if "\\(" not in text and "\\[" not in text:
        return text
    pieces: list[str] = []
    at = 0
    for code in _CODE.finditer(text):
        pieces += [_converted(text[at : code.start()]), code.group()]
        at = code.end()
    return "".join([*pieces, _converted(text[at:])])


def _converted(prose: str) -> str:
    prose = _DISPLAY.sub(lambda found: f"{found[1]}$${found[2]}$$", prose)
    return _INLINE.sub(lambda found: f"${found[1].strip()}$", prose)


def is_left_open(text: str) -> bool:
    """Whether a formula may have begun that does not end: nbconvert looks for its end in what follows."""
    return text.count("$$") % 2 == 1 or text.count("\\begin{") > text.count("\\end{")
