"""The front end's own tests and type check, run by Node in a copy of its folders."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FRONTEND = Path("metask_magic/display/frontend")
TESTS = Path("tests/frontend")

NPM = shutil.which("npm")
pytestmark = [
    pytest.mark.kernel,
    pytest.mark.skipif(NPM is None, reason="npm is not installed: the front end's own tests need it"),
]


def npm(folder: Path, *arguments: str) -> None:
    assert NPM is not None
    done = subprocess.run([NPM, *arguments], cwd=folder, capture_output=True, text=True, encoding="utf-8")
    assert done.returncode == 0, f"npm {' '.join(arguments)}\n{done.stdout}\n{done.stderr}"


@pytest.fixture(scope="module")
def frontend(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy with its packages installed, so that none lie about in the repository."""
    copy = tmp_path_factory.mktemp("frontend")
    for folder in (FRONTEND, TESTS):
        shutil.copytree(
            ROOT / folder, copy / folder, ignore=shutil.ignore_patterns("node_modules", "__pycache__")
        )
    npm(copy / FRONTEND, "ci", "--ignore-scripts", "--no-audit", "--no-fund")
    return copy / FRONTEND


def test_types(frontend: Path) -> None:
    npm(frontend, "run", "check")


def test_behaviour(frontend: Path) -> None:
    npm(frontend, "test")


def test_bundle(frontend: Path, tmp_path: Path) -> None:
    npm(frontend, "run", "build", "--", str(tmp_path))
    assert {path.name for path in tmp_path.iterdir()} == {
        "widget.js",
        "widget.css",
        "THIRD_PARTY_LICENSES.txt",
    }
    licenses = (tmp_path / "THIRD_PARTY_LICENSES.txt").read_text(encoding="utf-8")
    assert "marked" in licenses
    assert "highlight.js" in licenses


def test_the_lock_file_names_no_registry() -> None:
    assert '"resolved"' not in (ROOT / FRONTEND / "package-lock.json").read_text(encoding="utf-8")
