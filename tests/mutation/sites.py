"""Where the product can be broken, with the operators of cosmic-ray; and a sample of that, ever the same."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import MutationVisitor
from cosmic_ray.plugins import get_operator, operator_names


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change of one place: `line` of `module`, by `operator` at its `occurrence` in the file."""

    module: str
    line: int
    source: str
    operator: str
    occurrence: int

    @property
    def rank(self) -> str:
        """A number by lot, the same for the same line of code wherever it stands."""
        kind = self.operator.partition("_")[0]
        return hashlib.sha256(f"{kind} {self.source}".encode()).hexdigest()

    def apply(self, code: str) -> str | None:
        """Return the changed code; None where it would not be Python, or the same."""
        changed = MutationVisitor.mutate_code(code, get_operator(self.operator)(), self.occurrence)
        try:
            same = ast.dump(ast.parse(changed)) == ast.dump(ast.parse(code))
        except SyntaxError:
            return None
        return None if same else str(changed)


def sample(root: Path, count: int, room: str = "") -> list[Mutant]:
    """Return `count` mutants of the package under `root`, or of one room: drawn by lot from all its lines."""
    drawn: dict[str, Mutant] = {}
    for path in sorted((root / "metask_magic" / room).rglob("*.py")):
        if "frontend" not in path.parts:
            for mutant in _iter_mutants(path, root):
                drawn.setdefault(mutant.rank, mutant)
    chosen = sorted(drawn.values(), key=lambda mutant: mutant.rank)
    with_an_effect = (one for one in chosen if one.apply((root / one.module).read_text(encoding="utf-8")))
    return list(islice(with_an_effect, count))


def _iter_mutants(path: Path, root: Path) -> Iterator[Mutant]:
    code = path.read_text(encoding="utf-8")
    lines = code.splitlines()
    nodes = list(ast_nodes(get_ast(code)))
    inert = _annotations(code)
    for name in sorted(operator_names(), key=lambda name: hashlib.sha256(name.encode()).hexdigest()):
        kind = get_operator(name)
        if kind.arguments():
            continue
        operator = kind()
        places = [start for node in nodes for start, _ in operator.mutation_positions(node)]
        for occurrence, (line, _) in enumerate(places):
            if line not in inert:
                source = lines[line - 1].strip()
                yield Mutant(str(path.relative_to(root)), line, source, name, occurrence)


def _annotations(code: str) -> set[int]:
    """The lines on which types are written: `X | None` runs nowhere."""
    inert: set[int] = set()
    for node in ast.walk(ast.parse(code)):
        noted: list[ast.AST | None] = []
        if isinstance(node, ast.AnnAssign) and ast.unparse(node.annotation) == "TypeAlias":
            noted = [node]
        elif isinstance(node, ast.arg | ast.AnnAssign):
            noted = [node.annotation]
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            noted = [node.returns]
        for part in filter(None, noted):
            inert.update(range(part.lineno, (part.end_lineno or part.lineno) + 1))  # type: ignore[attr-defined]
    return inert
