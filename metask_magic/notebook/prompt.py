"""The prompt: a cell's text as a Jinja template over the notebook's names, rendered once.

Text with single braces passes untouched. Comments (`{# #}`) are off, because LaTeX writes `{#1}`, and
statements (`{% %}`) are on only where the cell has one, because LaTeX writes `{%` too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from jinja2 import StrictUndefined, Template, TemplateError, TemplateSyntaxError, nodes
from jinja2.exceptions import SecurityError, UndefinedError
from jinja2.meta import find_undeclared_variables
from jinja2.sandbox import SandboxedEnvironment

from ..errors import PromptError

NEVER = "\x00metask:never"  # a delimiter that no cell contains

_STATEMENT = re.compile(
    r"\{%[-+]?\s*(?:for|if|elif|else|endif|endfor|set|endset|macro|endmacro|raw|endraw|with|endwith|filter"
    r"|endfilter|call|endcall)\b"
)


def render(text: str, namespace: Mapping[str, Any]) -> str:
    """Return `text` with its `{{ expressions }}` replaced by their values.

    Values are not scanned again: braces in them are text.

    Raises
    ------
    PromptError
        A name is undefined (all such names are listed), or the template fails.

    """
    statements = _STATEMENT.search(text) is not None
    if "{{" not in text and not statements:
        return text
    environment = _environment(statements)
    try:
        tree = environment.parse(text)
        names = find_undeclared_variables(tree)
        _check_defined(names - _guarded(tree), namespace, environment)
        template = Template.from_code(environment, environment.compile(tree), dict(environment.globals))
        return template.render({name: namespace[name] for name in names if name in namespace})
    except TemplateSyntaxError as error:
        raise PromptError(
            f"The prompt's template has a mistake in line {error.lineno}: {error.message}",
            "Where {{ is meant as text, send the cell with --raw.",
        ) from None
    except (UndefinedError, SecurityError) as error:
        raise PromptError(f"The prompt cannot be filled in: {error}.", "Correct the expression.") from None
    except TemplateError as error:
        raise PromptError(f"The prompt's template fails: {error}.", "Correct it, or use --raw.") from None
    except PromptError:
        raise
    except Exception as error:
        raise PromptError(
            f"An expression in the prompt raised {type(error).__name__}: {error}",
            "Try it in a cell of its own.",
        ) from error


@cache
def _environment(statements: bool) -> SandboxedEnvironment:
    return SandboxedEnvironment(
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        autoescape=False,  # the prompt is text for a model, not HTML
        comment_start_string=NEVER + "#",
        comment_end_string=NEVER + "##",
        block_start_string="{%" if statements else NEVER + "%",
        block_end_string="%}" if statements else NEVER + "%%",
    )


def _check_defined(names: set[str], namespace: Mapping[str, Any], environment: SandboxedEnvironment) -> None:
    missing = sorted(name for name in names if name not in namespace and name not in environment.globals)
    if not missing:
        return
    verb = "is not defined" if len(missing) == 1 else "are not defined"
    raise PromptError(
        f"{_listed(missing)} {verb}.",
        "Define it before this cell, or send the text as it stands with --raw."
        if len(missing) == 1
        else "Define them before this cell, or send the text as it stands with --raw.",
    )


def _guarded(tree: nodes.Template) -> set[str]:
    """Names the template itself allows to be missing: `x is defined`, `x | default(…)`."""
    return set(_iter_guarded(tree))


def _iter_guarded(tree: nodes.Template) -> Iterator[str]:
    for node in tree.find_all((nodes.Filter, nodes.Test)):
        lenient = node.name in {"default", "d", "defined", "undefined"}
        if lenient and isinstance(node.node, nodes.Name):
            yield node.node.name


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
