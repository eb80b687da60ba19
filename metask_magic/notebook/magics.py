"""The magics: parse, delegate, return."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from IPython.core.getipython import get_ipython
from IPython.core.magic import Magics, line_cell_magic, magics_class, no_var_expand

from ..errors import MetaskError, OptionError, SettingError
from ..language import _
from ..settings import Metask
from .completion import Completion, Known
from .full_width import check_models
from .option_line import parse_cell_line, parse_line
from .options import CellOptions
from .warm_up import WarmUp

if TYPE_CHECKING:
    from ..table.mapper import Mapper
    from .session import Session

COMMANDS: Mapping[str, Sequence[str]] = {
    "models": (),
    "explain": (),
    "chats": ("show", "fork", "rename", "forget", "trim", "save", "load"),
    "usage": ("--reset",),
    "recordings": ("show", "compact", "forget", "verify"),
    "tools": ("add", "load", "show", "remove", "--env", "--header-env"),
    "export": ("python", "node", "curl", "--force"),
    "login": (),
    "logout": (),
    "help": (),
}
"""The words that follow `%metask`, each with those that it goes on with.

They stand here for Tab, which cannot wait until the modules of the commands are imported.
"""

# `gpt-4o`, `org/name`, `name:7b`, `claude*`: what words of a question hardly are.
_MODEL = re.compile(r"(?=.*[\d/:*-])\w[\w./:*@-]*[\w*]", re.ASCII)


@magics_class
class MetaskMagics(Magics):
    """`%metask` and `%%metask`."""

    def __init__(self, shell: Any, settings: Metask) -> None:
        super().__init__(shell)
        self._settings = settings
        self._session: Session | None = None
        self.warm_up = WarmUp(shell)
        self.completion = Completion(
            shell, Known(self._known_models, self._known_chats, COMMANDS, self._known_servers)
        )

    @no_var_expand
    @line_cell_magic
    def metask(self, line: str, cell: str | None = None) -> Any:
        """Ask a language model; the reply streams into the cell and is its value."""
        self._settings.read_environment()
        if cell is not None:
            options = parse_cell_line(line)
            check_models(options, self._known_models())
            return self.session.ask(options, cell.removesuffix("\n"), by_cell_magic=True)
        word = "".join(line.split(maxsplit=1)[:1])
        if word in COMMANDS or not word:
            return self._command(word, line.strip().removeprefix(word).strip())
        options, prompt = parse_line(line)
        check_models(options, self._known_models())
        if not prompt and not options.attach and options.prompt is None:
            raise _no_prompt(options)
        return self.session.ask(options, prompt, by_cell_magic=False)

    # IPython asks what `%%metask?` shows.
    metask.getdoc = lambda: _help_of(get_ipython())  # type: ignore[union-attr]  # a function may have it

    def help(self) -> str:
        """Return what `%%metask?` shows: the options in the language of the moment."""
        from .option_help import help_text

        with contextlib.suppress(SettingError):  # whatever is wrong with the settings, this helps
            self._settings.read_environment()
        return help_text()

    @property
    def session(self) -> Session:
        """What the magics work with; its modules are imported when first needed."""
        if self._session is None:
            from .session import Session

            self._session = Session(self.shell, self._settings)
        return self._session

    def prepare_map(self) -> tuple[Metask, Mapper]:
        """Return what `metask_magic.map` works with: the settings as they are now, and who asks."""
        self._settings.read_environment()
        return self._settings, self.session.mapper

    def close(self) -> None:
        if self._session is not None:
            self._session.close()
            self._session = None

    def _known_models(self) -> Sequence[str]:
        known = self._session.backends.known_names() if self._session else ()
        return [self._settings.model, *self._settings.aliases, *known]

    def _known_chats(self) -> Sequence[str]:
        return [chat.name for chat in self._session.chats] if self._session else ()

    def _known_servers(self) -> Mapping[str, Sequence[str]]:
        servers = self._session.servers if self._session else ()
        return {one.server.name: one.known_tools for one in servers}

    def _may_be_model(self, word: str) -> bool:
        """Whether the first word after `explain` is meant as a model, or begins the question."""
        return word == "local" or word in self._known_models() or _MODEL.fullmatch(word) is not None

    def _command(self, word: str, rest: str) -> Any:
        from . import commands

        match word:
            case "":
                from ..answering.shelf import describe_mode

                return commands.status(
                    self._settings,
                    self.session.backends.local_description,
                    describe_mode(self._settings, self.session.recordings.store),
                    self.session.ledger.total(),
                )
            case "models":
                return commands.list_models(*self.session.backends.usable_models(), rest)
            case "explain":
                return self.session.explain(*parse_line(rest, self._may_be_model))
            case "usage":
                from . import usage

                return usage.run(self.session.ledger, rest, self._settings.budget_tokens)
            case "export":
                return _said(self.session.export(rest))
            case "chats":
                from . import chat_commands

                return _said(chat_commands.run(self.session.chats, rest))
            case "recordings":
                from . import recordings

                return _said(recordings.run(self.session.recordings.store, rest))
            case "tools":
                from . import tool_commands

                return _said(
                    tool_commands.run(self.session.servers, self.session.toolbox(CellOptions(), ()), rest)
                )
            case "login" | "logout":
                return _said(getattr(commands, word)(self._settings))
            case _:
                return commands.help_table()


def _help_of(shell: Any) -> str:
    magics: MetaskMagics = shell.magics_manager.registry[MetaskMagics.__name__]
    return magics.help()


def _said(result: Any) -> Any:
    """Print what is only a sentence; anything else is the command's value."""
    if type(result) is not str:
        return result
    print(result)
    return None


def _no_prompt(options: CellOptions) -> MetaskError:
    from ..words import did_you_mean, nearest

    model = " ".join(options.models)
    near = nearest(model, COMMANDS)
    return OptionError(
        _("There is no prompt after {model}.", model=model)
        if model
        else _("There is no model and no prompt."),
        did_you_mean([f"`%metask {name}`" for name in near]) or _("For example: %metask gpt-4o-mini Hello!"),
    )
