"""The prompt: a cell's text as a Jinja template over the notebook's names, or over a row's.

Text with single braces passes untouched. Comments (`{# #}`) are off, because LaTeX writes `{#1}`, and
statements (`{% %}`) are on only where the cell has one, because LaTeX writes `{%` too.
"""

from __future__ import annotations

import builtins
import re
from collections.abc import Callable, Iterator, Mapping, Set
from contextlib import contextmanager
from difflib import get_close_matches
from typing import Any, ClassVar

from jinja2 import StrictUndefined, Template, TemplateError, TemplateSyntaxError, nodes
from jinja2.defaults import DEFAULT_NAMESPACE
from jinja2.exceptions import SecurityError, UndefinedError
from jinja2.meta import find_undeclared_variables
from jinja2.sandbox import SandboxedEnvironment

from ..errors import PromptError
from ..language import _, ngettext
from ..messages.request import Part, TextPart, join_parts
from ..words import all_of, did_you_mean, listed, sentences
from .filters import FILTERS
from .own_names import iter_own_names
from .placing import PlacedImages
from .values import say

NEVER = "\x00metask:never"  # a delimiter that no cell contains

_STATEMENT = re.compile(
    r"\{%[-+]?\s*(?:for|if|elif|else|endif|endfor|set|endset|macro|endmacro|raw|endraw|with|endwith|filter"
    r"|endfilter|call|endcall)\b"
)


_FUNCTIONS: dict[str, Any] = {
    name: getattr(builtins, name)
    for name in (
        "abs", "all", "any", "enumerate", "float", "int", "len", "list", "max", "min", "repr", "reversed",
        "round", "set", "sorted", "str", "sum", "tuple", "type", "zip",
    )
}  # fmt: skip
"""Python's functions that a template may call. Uncalled, such a name is as undefined as any other."""


class PromptTemplate:
    """A prompt's text, compiled once, and rendered as often as there is something to fill in.

    Values are not scanned again: braces in them are text. Raises `PromptError` where it cannot be compiled.
    """

    _kind: ClassVar[type[SandboxedEnvironment]] = SandboxedEnvironment

    def __init__(self, text: str) -> None:
        self._text = text
        self._images = PlacedImages()
        self._compiled: Template | None = None
        self._known: Mapping[str, Any] = {}
        self._told: set[str] = set()
        self.names: frozenset[str] = frozenset()
        """The names in it that somebody has to define, or may."""
        self.functions: Mapping[str, Any] = {}
        """Python's functions that it calls."""
        self._required: frozenset[str] = frozenset()
        statements = _STATEMENT.search(text) is not None
        if "{{" in text or statements:
            with _explained(text):
                self._compile(statements)

    def check(self, namespace: Mapping[str, Any]) -> None:
        """Raise `PromptError` if the names it needs are not all in `namespace`, with those that are not."""
        _check_defined(self._required, namespace)

    def fill(self, known: Mapping[str, Any]) -> tuple[Part, ...]:
        """Return the text with its `{{ expressions }}` replaced by what `to_parts` makes of their values.

        Figures and pictures become images at their place. Raises `PromptError` where an expression fails.
        """
        if self._compiled is None:
            return (TextPart(self._text),)
        self._images.clear()
        self._known = known
        with _explained(self._text):
            return self._images.restore(self._compiled.render(known))

    def _place(self, value: Any) -> Any:
        return self._images.place(value, self._name_of(value), self._say)

    def _name_of(self, value: Any) -> str:
        """Return what the notebook calls a value; "" where it has no name there, or needs none."""
        if isinstance(value, str | int | float):
            return ""
        return next((name for name, known in self._known.items() if known is value), "")

    def _say(self, text: str) -> None:
        """Tell the user something once, however often the prompt is filled in."""
        alike = re.sub("0x[0-9a-fA-F]+", "", text)  # an object of its own for each row, say
        if alike not in self._told:
            self._told.add(alike)
            say(text)

    def _compile(self, statements: bool) -> None:
        environment = _new_environment(self._kind, statements, self._place)
        tree = environment.parse(self._text)
        names = find_undeclared_variables(tree)
        called = {call.node.name for call in tree.find_all(nodes.Call) if isinstance(call.node, nodes.Name)}
        self.functions = {name: _FUNCTIONS[name] for name in called & _FUNCTIONS.keys()}
        self.names = frozenset(names)
        self._required = frozenset(names - _guarded(tree) - self.functions.keys())
        code = environment.compile(tree)
        self._compiled = Template.from_code(environment, code, dict(environment.globals))


def render_parts(text: str, namespace: Mapping[str, Any]) -> tuple[Part, ...]:
    """Return `text` rendered once, as `PromptTemplate.fill` does.

    Raises
    ------
    PromptError
        A name is undefined (all such names are listed), or the template fails.

    """
    template = PromptTemplate(text)
    template.check(namespace)
    known = {name: namespace[name] for name in template.names if name in namespace}
    return template.fill(dict(template.functions) | known)


def render(text: str, namespace: Mapping[str, Any]) -> str:
    """Return the rendered text where no image may be, as in a system message. Raises `PromptError`."""
    content = join_parts(render_parts(text, namespace))
    if not isinstance(content, str):
        raise PromptError(
            _("A system message cannot hold an image."), _("Put it into the prompt, or attach it.")
        )
    return content


@contextmanager
def _explained(text: str) -> Iterator[None]:
    """Turn what a template raises into a `PromptError`."""
    try:
        yield
    except TemplateSyntaxError as error:
        raise PromptError(
            _(
                "The prompt's template has a mistake in line {line}: {why}",
                line=error.lineno,
                why=error.message,
            ),
            _(
                "Put a blank, or {expression}, before the {{{{ that follows a brace.",
                expression="{{ '{' }}",
            )
            if "{{{" in text
            else _("Where {{ is meant as text, send the cell with --raw."),
        ) from None
    except (UndefinedError, SecurityError) as error:
        raise PromptError(
            _("The prompt cannot be filled in: {error}.", error=error), _("Correct the expression.")
        ) from None
    except TemplateError as error:
        raise PromptError(
            _("The prompt's template fails: {error}.", error=error), _("Correct it, or use --raw.")
        ) from None
    except PromptError:
        raise
    except Exception as error:
        raise PromptError(
            _(
                "An expression in the prompt raised {kind}: {error}",
                kind=type(error).__name__,
                error=error,
            ),
            _("Try it in a cell of its own."),
        ) from error


def _new_environment(
    kind: type[SandboxedEnvironment], statements: bool, finalize: Callable[[Any], Any]
) -> SandboxedEnvironment:
    environment = kind(
        undefined=StrictUndefined,
        finalize=finalize,
        keep_trailing_newline=True,
        autoescape=False,  # the prompt is text for a model, not HTML
        comment_start_string=NEVER + "#",
        comment_end_string=NEVER + "##",
        block_start_string="{%" if statements else NEVER + "%",
        block_end_string="%}" if statements else NEVER + "%%",
    )
    environment.filters.update(FILTERS)
    return environment


def _check_defined(names: Set[str], namespace: Mapping[str, Any]) -> None:
    missing = sorted(names - namespace.keys() - DEFAULT_NAMESPACE.keys())
    if not missing:
        return
    own = list(iter_own_names(namespace))
    near = [match for name in missing for match in get_close_matches(name, own, 1, 0.75)]
    count = len(missing)
    said = all_of([*filter(None, [listed(missing[:-1])]), missing[-1]])
    define = ngettext(
        "Define it before this cell, or send the text as it stands with --raw.",
        "Define them before this cell, or send the text as it stands with --raw.",
        count,
    )
    raise PromptError(
        ngettext("{names} is not defined.", "{names} are not defined.", count, names=said),
        sentences(did_you_mean(near), define),
    )


def _guarded(tree: nodes.Template) -> set[str]:
    """Names the template itself allows to be missing: `x is defined`, `x | default(…)`."""
    return set(_iter_guarded(tree))


def _iter_guarded(tree: nodes.Template) -> Iterator[str]:
    for node in tree.find_all((nodes.Filter, nodes.Test)):
        lenient = node.name in {"default", "d", "defined", "undefined"}
        if lenient and isinstance(node.node, nodes.Name):
            yield node.node.name
