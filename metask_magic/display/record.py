"""The record: what stays in the notebook of a reply, harmless in any front end.

Jupyter renders the outputs of a cell the user ran as trusted, so a reply with raw HTML in it would run
scripts. Text that cannot be more than text in any Markdown parser is kept as it is (but for the marks of
mathematics, which Jupyter wants otherwise than models write them); anything else is
rendered here with HTML off, cleaned, and kept as HTML. The source is `text/plain` in both cases.

Only a reply asked for as HTML is kept as such: in a frame where nothing runs and nothing is fetched.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from ..language import N_, _
from ..messages.events import Step
from ..messages.kinds import JSON, Format
from ..messages.record import Record
from ..words import CONTROLS, TURNING
from .comparison import closed, to_comparison, to_ending, to_heading, to_notice, to_table
from .extras import NONE, Extras, fold, fold_markdown
from .json_indent import indented
from .mathematics import is_left_open, with_dollars
from .page import to_sandboxed_page
from .steps import steps_to_markdown, steps_to_plain
from .unwrap import unwrap

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

Bundle = dict[str, Any]

METADATA_KEY = "metask"
UNTYPESET = "mathjax_ignore tex2jax_ignore"  # English: MathJax reads it
SCHEMES = {"http", "https", "mailto"}
MAX_NESTING = 40
MOST_OPEN_BRACKETS = 500
NOTHING_CAME = N_("It failed before any text came.")

# MathJax links, fetches fonts, styles and defines macros that do; what is typeset may hold none of these.
_TEX_COMMAND = (
    r"\\(?:href|url|require|unicode|style|class|cssid|bbox|html[a-z]*|[egx]?def|let|futurelet|csname|mmltoken"
    r"|(?:new|renew|provide)(?:command|environment)|declare[a-z]*|toggle|texttip|mathtip|includegraphics)(?![a-z])"
)
_TEX = re.compile(_TEX_COMMAND, re.ASCII | re.IGNORECASE)

# Where parsers disagree about what is code, a mark inside code counts as well. JupyterLab writes a fence's
# info string into an attribute as it is, and puts mathematics back into the finished HTML with its quotes:
# neither may get near a link or a fence. Every branch is linear, whatever the text (`*+` gives nothing back).
_SUSPECT = re.compile(
    _TEX_COMMAND + r"""
    | <[a-z/!?]                                       # may begin raw HTML, or an autolink
    | !\[                                             # an image is fetched when it is shown
    | (?:javascript|vbscript|data|blob|file):[^\s*_]   # schemes that run or leak
    | ftp://                                          # another scheme that becomes a link by itself
    | \](?:\(|:)\s*+(?!https?://|mailto:)[^\s)]       # any link but an absolute one
    | \](?:\(|:)\s*+(?:[^\s$\\"()\]]|\([^\s$\\"()\]]*\))*+  # a link to an address ...
        (?:[$\\"(\]]|[\s>]++["'(])                     # ... with a mark of mathematics in it, or with a title
    | (?:https?://|www\.)(?:[^\s$\\]|\\(?!\\|begin)){0,2000}+\S  # a bare address with one, or endless
    | ^(?>[^\n]*?(?:```|~~~))[^\n]*(?:["$\\]|mermaid)  # a fence with such an info, or drawn as a picture
    | &(?:\#|colon|tab|newline|lt|nbsp)               # entities that rebuild one of these
    | \]\(\s*+[^)\s\]]*+[\x00-\x1f]                  # control characters inside a link
    | @@\d+@@                                         # what JupyterLab puts in place of mathematics
    """
    rf"| [{CONTROLS}{TURNING}]",  # invisible, or turning text round
    re.ASCII | re.IGNORECASE | re.MULTILINE | re.VERBOSE,
)

_TAGS = {
    *("p", "br", "hr", "div", "blockquote", "a", "em", "strong", "s", "del"),
    *("h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "li"),
    *("code", "pre", "span", "table", "thead", "tbody", "tr", "th", "td"),
}
_ATTRIBUTES = {
    "a": {"href", "title"},
    "code": {"class"},
    "span": {"class"},
    "div": {"class"},
    "ol": {"start"},
    "th": {"style"},
    "td": {"style"},
}
_INVISIBLE = re.compile(f"[{CONTROLS}{TURNING}]")

# Words in a formula, which may have a formula among them.
_WORDS_IN_TEX = re.compile(r"\\(?:text|textbf|textit|mbox|textrm)\{[^{}]*\}")

# Where a formula begins or ends; after a row of a matrix, brackets are only brackets.
_FORMULA_MARK = re.compile(r"\$|(?<!\\)\\[\[\]()]")

# Words of ours that front ends read otherwise than their Markdown says: MathJax sees the page, where of `\\$`
# the dollar alone is left, and takes escapes of its own; what looks like an address keeps its backslashes.
_MISREAD = re.compile(
    r"\\\$.*\\\$|\\\\(?:[\\(]|begin)|(?:https?://|www\.)[^\s\\]*+\\", re.ASCII | re.IGNORECASE
)

# Token colours from the theme, so that light and dark both work; GitHub drops the style and shows it plain.
_STYLE = (
    "<style>"
    ".metask-record .k,.metask-record .kn,.metask-record .kd,.metask-record .kc,.metask-record .nt"
    "{color:var(--jp-mirror-editor-keyword-color,#008000);font-weight:600}"
    ".metask-record .s,.metask-record .s1,.metask-record .s2,.metask-record .sd"
    "{color:var(--jp-mirror-editor-string-color,#ba2121)}"
    ".metask-record .c,.metask-record .c1,.metask-record .cm"
    "{color:var(--jp-mirror-editor-comment-color,#408080);font-style:italic}"
    ".metask-record .mi,.metask-record .mf{color:var(--jp-mirror-editor-number-color,#080)}"
    ".metask-record .nf,.metask-record .nc{color:var(--jp-mirror-editor-def-color,#00f)}"
    "</style>"
)


def to_bundle(
    text: str,
    format: Format = "markdown",
    steps: Sequence[Step] = (),
    notice: str = "",
    *,
    reasoning: str = "",
    byline: str = "",
) -> Bundle:
    """Return the MIME bundle of a reply: what `format` says its text is, below its steps, above the notice.

    Markdown where that is harmless, clean HTML otherwise; as plain text `text` is kept byte for byte and,
    but for its steps, alone: the notice stands there only where there is no text, or nothing else to read.
    `reasoning` is folded away above all, `byline` (Markdown of ours) stands below.
    """
    if format == "text":
        return {"text/plain": _joined(text, notice)}
    plain = _joined(steps_to_plain(steps), text if text.strip() or not notice else notice)
    listed, said = steps_to_markdown(steps), _joined(to_notice(notice) if notice else "", byline)
    if format == "html":
        page = to_sandboxed_page(unwrap(text, format)) if text.strip() or not notice else ""
        return {"text/html": _folded(reasoning) + _to_html(listed) + page + _said(said), "text/plain": plain}
    shown = _to_markdown(text, format) if text.strip() or not notice else ""
    return _markdown_bundle(_joined(listed, shown), said, plain, reasoning)


def to_output(records: Sequence[Record], extras: Extras = NONE) -> tuple[Bundle, dict[str, JSON]]:
    """Return bundle and metadata of the one output that stays for these replies."""
    if len(records) == 1:
        record = records[0]
        bundle = to_bundle(
            record.text,
            record.format,
            record.steps,
            record.notice or _without_text(record),
            reasoning=extras.reasoning_of(record),
            byline=extras.to_byline(record),
        )
        return bundle, {METADATA_KEY: dict(record.metadata)}
    return _to_document(records, extras), {METADATA_KEY: [dict(record.metadata) for record in records]}


def _without_text(record: Record) -> str:
    """What stands where a reply that failed has nothing: its place was taken before that was known."""
    return _(NOTHING_CAME) if record.failure and not record.steps and not record.text.strip() else ""


def _to_document(records: Sequence[Record], extras: Extras) -> Bundle:
    """One document of several replies, and a table of how they went; one cell gives them all one format."""
    told = [(record, _joined(steps_to_plain(record.steps), record.text)) for record in records]
    if all(record.format == "html" for record in records):
        pages = [(record, _folded(extras.reasoning_of(record)) + _to_page(record)) for record in records]
        return {"text/html": _to_sections(pages), "text/plain": to_comparison(told)}
    shown = [(record, _to_markdown_section(record)) for record in records]
    markdown = to_comparison(shown)
    plain = markdown if told == shown else to_comparison(told)  # to look for open fences twice takes long
    if any(map(extras.reasoning_of, records)) or _SUSPECT.search(markdown) or _is_misread(shown):
        bodies = [
            (record, _folded(extras.reasoning_of(record)) + _to_html_body(text)) for record, text in shown
        ]
        return {"text/html": _to_sections(bodies), "text/plain": plain}
    return {"text/markdown": markdown, "text/plain": plain}


def _is_misread(sections: Sequence[tuple[Record, str]]) -> bool:
    """Whether words of ours would be taken for others, or mathematics go on from one reply to the next."""
    ours = to_comparison([(record, "") for record, _text in sections])
    return bool(_MISREAD.search(ours)) or any(is_left_open(text) for _record, text in sections)


def _to_markdown_section(record: Record) -> str:
    shown = _to_markdown(record.text, record.format) if record.text.strip() else ""
    return with_dollars(_joined(steps_to_markdown(record.steps), shown))


def _to_page(record: Record) -> str:
    """A reply of HTML below its steps."""
    page = to_sandboxed_page(unwrap(record.text, record.format)) if record.text.strip() else ""
    return _to_html_body(steps_to_markdown(record.steps)) + page


def _to_sections(bodies: Sequence[tuple[Record, str]]) -> str:
    """The document of several replies as HTML: each by itself, so that none changes how another is read."""
    sections = [
        _said(to_heading(record)) + body + _said(to_ending(record, bool(body))) for record, body in bodies
    ]
    return "".join([_STYLE, *sections, _said(to_table([record for record, _body in bodies]))])


def _markdown_bundle(markdown: str, said: str, plain: str, reasoning: str) -> Bundle:
    shown, thought = with_dollars(markdown), with_dollars(reasoning)
    if _SUSPECT.search(f"{thought}\n{shown}\n{said}") or _MISREAD.search(said) or is_left_open(thought):
        body = _to_html_body(shown)
        # None of them changes another.
        return {"text/html": _STYLE + _folded(reasoning) + body + _said(said), "text/plain": plain}
    told = _joined(closed(shown), said) if said else shown
    return {
        "text/markdown": _joined(fold_markdown(thought), told) if thought else told,
        "text/plain": plain,
    }


def _folded(reasoning: str) -> str:
    """Reasoning as HTML that is folded away."""
    return fold(_to_body(with_dollars(reasoning))) if reasoning else ""


def _to_html(markdown: str) -> str:
    return to_safe_html(markdown) if markdown else ""


def _joined(*parts: str) -> str:
    return "\n\n".join(filter(None, parts))


def _to_markdown(text: str, format: Format) -> str:
    """The Markdown that shows a text of this format."""
    if format == "json":
        return _as_json_block(unwrap(text, format))
    if format == "text":
        return _fenced(unwrap(text, format), "")
    if format == "math":
        return _as_formula(text, unwrap(text, format))
    return text


def _as_json_block(text: str) -> str:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        pass
    else:
        text = indented(text.strip())
    return _fenced(text, "json")


def _fenced(text: str, language: str) -> str:
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text}\n{fence}"


def _as_formula(text: str, tex: str) -> str:
    """Display mathematics; or the text as it is, where formulas stand among words."""
    lines = "\n".join(line for line in tex.splitlines() if line.strip())
    if not lines or _FORMULA_MARK.search(_WORDS_IN_TEX.sub("", lines)):
        return text
    return f"$$\n{lines}\n$$"


def to_safe_html(text: str) -> str:
    """Render untrusted Markdown to HTML that runs and fetches nothing."""
    return _STYLE + _to_body(text)


def _said(markdown: str) -> str:
    """Words of ours as HTML; there is no mathematics in them."""
    return _to_body(markdown, typeset=not _MISREAD.search(markdown)) if markdown else ""


def _to_html_body(markdown: str) -> str:
    return _to_body(markdown) if markdown else ""


def _to_body(text: str, *, typeset: bool = True) -> str:
    import nh3

    if text.count("[") - text.count("]") > MOST_OPEN_BRACKETS:  # for each a parser looks through the rest
        return f"<pre>{html.escape(text)}</pre>"
    body = nh3.clean(
        _renderer().render(_INVISIBLE.sub("\N{REPLACEMENT CHARACTER}", text)),
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        attribute_filter=_only_harmless,
        url_schemes=SCHEMES,
        link_rel="noopener noreferrer nofollow",  # English: a browser reads it
        url_relative="deny",
    )
    # Markdown may put a command together that its source does not show, out of entities.
    untypeset = "" if typeset and not _TEX.search(html.unescape(text)) else f" {UNTYPESET}"
    return f'<div class="metask-record{untypeset}">{body}</div>'


def _only_harmless(tag: str, name: str, value: str) -> str | None:
    if name == "style":
        return value if re.fullmatch(r"text-align:(left|right|center)", value) else None
    if name == "href":  # a browser takes `https:there` for a relative link
        return value if re.match(r"https?://|mailto:", value, re.IGNORECASE) else None
    return value


@cache
def _renderer() -> MarkdownIt:
    from markdown_it import MarkdownIt
    from mdit_py_plugins.dollarmath import dollarmath_plugin

    markdown = MarkdownIt(
        "commonmark", {"html": False, "highlight": _highlight, "maxNesting": MAX_NESTING}
    ).enable(["table", "strikethrough"])
    markdown.use(dollarmath_plugin, allow_labels=False)
    markdown.add_render_rule(
        "math_inline", lambda _self, tokens, at, *_: f"${html.escape(tokens[at].content)}$"
    )
    markdown.add_render_rule(
        "math_block", lambda _self, tokens, at, *_: f"<p>$${html.escape(tokens[at].content)}$$</p>\n"
    )
    markdown.add_render_rule("image", _image_as_link)
    return markdown


def _image_as_link(_self: Any, tokens: Sequence[Any], at: int, *_rest: Any) -> str:
    source, label = str(tokens[at].attrs.get("src", "")), tokens[at].content or _("image")
    return f'<a href="{html.escape(source)}">🖼 {html.escape(label)}</a>'


def _highlight(source: str, language: str, _attributes: str) -> str:
    """Return highlighted HTML, or nothing for markdown-it to escape the source itself."""
    from pygments import highlight
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import get_lexer_by_name
    from pygments.util import ClassNotFound

    try:
        lexer = get_lexer_by_name(language)
    except ClassNotFound:
        return ""
    return str(highlight(source, lexer, HtmlFormatter(nowrap=True)))
