"""Commands of `%metask` that need no room of their own: status, models, login, logout, help."""

from __future__ import annotations

import contextlib
import json
from base64 import b64decode
from collections.abc import Sequence
from typing import Any

from ..display.table import Table
from ..errors import MetaskError, MissingKeyError, SettingError
from ..gateway.models import Model, matching
from ..keys import KEYRING_SERVICE, ApiKey
from ..language import _, ngettext, pgettext
from ..messages.kinds import JSON
from ..messages.request import Message, Request
from ..prompt.images import pixels
from ..settings import Metask
from ..usage.ledger import ModelUsage
from ..words import clauses, did_you_mean, listed, narrow, nearest, plain
from .stdin import YES, NobodyAnswersError, ask
from .usage import summarize

LONGEST_LIST = 200


def status(settings: Metask, local_description: str, recording: str, used: ModelUsage) -> Table:
    """Return the status card: what would be asked, where, and with whose key."""
    try:
        key = settings.find_key().source
    except MissingKeyError:
        key = _("none: `%metask login` asks for one")
    except SettingError as error:
        key = str(error)
    rows = [
        (_("model"), settings.model),
        (_("base URL"), settings.base_url),
        (_("key"), key),
        (_("local model"), local_description),
        (_("recording"), recording),
    ]
    if used.requests:
        rows.append((_("tokens so far"), summarize(used, settings.budget_tokens)))
    for variable, near in settings.unknown_variables().items():
        rows.append((variable, _is_no_setting(near)))
    return Table(
        "metask-magic", (), tuple(rows), _("`%metask help` lists the commands, `%%metask?` the options.")
    )


def _is_no_setting(near: str | None) -> str:
    return _("is no setting; did you mean {name}?", name=near) if near else _("is no setting")


def list_models(models: Sequence[Model], note: str, pattern: str) -> Table:
    """Return the models that match, as a table.

    Raises
    ------
    MetaskError
        None does.

    """
    found = matching(models, pattern)
    if not found:
        near = nearest(pattern, (model.id for model in models))
        raise MetaskError(
            _(
                "None of the {number} models matches {pattern}.",
                number=len(models),
                pattern=plain(pattern),
            ),
            did_you_mean(near),
        )
    rows = tuple(
        (plain(m.id), plain(m.owner or ""), m.created.strftime("%Y-%m-%d") if m.created else "")
        for m in found[:LONGEST_LIST]
    )
    more = len(found) - len(rows)
    if more:
        note = _("… and {number} more: narrow it with `%metask models PATTERN`.", number=more)
    title = (
        _("{found} of {number} models", found=len(found), number=len(models))
        if pattern
        else ngettext("{count} model", "{count} models", len(models))
    )
    return Table(title, (_("id"), _("owner"), _("created")), rows, note)


def dry_run(requests: Sequence[Request], where: str) -> Table:
    """Return the exact request that would be sent, its images shortened, and the sizes of its parts.

    Of several, which differ in their model alone, the first. `where` says who would get it.
    """
    request = requests[0]
    body = request.to_json()
    size = len(json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace"))
    shown = json.dumps(_without_images(body), ensure_ascii=False, indent=2)
    sizes = [
        *map(_sizes, request.messages),
        ngettext("in all: {count} byte", "in all: {count} bytes", size),
    ]
    return Table(
        _not_sent([each.model for each in requests], where),
        (),
        ((shown,),),
        clauses(sizes),
    )


def _not_sent(models: Sequence[str], where: str) -> str:
    if len(models) == 1:
        return _("Not sent: {where}", where=where)
    return _(
        "Not sent: {where}, for {number} models: {names}",
        where=where,
        number=len(models),
        names=listed(models),
    )


def _without_images(value: JSON) -> JSON:
    """Put what it is into the place of each image's data."""
    match value:
        case {"type": "image_url", "image_url": {"url": str(url)}} if url.startswith("data:"):
            start, _, data = url.partition(",")
            size = _image_size(start.removeprefix("data:").removesuffix(";base64"), b64decode(data))
            return {"type": "image_url", "image_url": {"url": f"{start},… ({size})"}}
        case dict():
            return {name: _without_images(inner) for name, inner in value.items()}
        case list():
            return [_without_images(inner) for inner in value]
    return value


def _sizes(message: Message) -> str:
    word = _("image")
    images = (
        f"{plain(image.name) or word} {_image_size(image.media_type, image.data)}" for image in message.images
    )
    text = _("{role}: {characters:,} characters", role=message.role, characters=len(message.text))
    return listed([text, *images])


def _image_size(kind: str, data: bytes) -> str:
    size = pixels(data)
    name = kind.removeprefix("image/").upper()
    if size is None:
        return _("{bytes:,} bytes of {kind}", bytes=len(data), kind=name)
    return _(
        "{bytes:,} bytes of {kind}, {across:,} × {down:,}",
        bytes=len(data),
        kind=name,
        across=size[0],
        down=size[1],
    )


def login(settings: Metask) -> str:
    """Ask for a key without showing it, use it from now on, and offer to keep it in the keyring.

    Raises
    ------
    SettingError
        Nobody can type it, or it is none that can be sent.

    """
    try:
        value = ask(_("Key for {url}: ", url=settings.base_url), hidden=True).strip()
    except NobodyAnswersError:
        raise SettingError(
            _("`%metask login` asks for the key, and nobody can type here."),
            _(
                "Set METASK_API_KEY in the environment before the kernel starts, or keep the key in the "
                "system keyring."
            ),
        ) from None
    if not value:
        return _("No key entered; nothing has changed.")
    settings.api_key = ApiKey(value, "`%metask login`")  # English: a command
    settings.find_key()
    keyring = _keyring()
    if keyring is None:
        return _('The key is used until the kernel ends. To keep it: `pip install "metask-magic[keyring]"`.')
    if not _wants_it_kept():
        return _("The key is used until the kernel ends.")
    try:
        keyring.set_password(KEYRING_SERVICE, settings.base_url, value)
    except keyring.errors.KeyringError:
        return _("No keyring answers on this machine: the key is used until the kernel ends.")
    return _("The key is kept in the system keyring.")


def _wants_it_kept() -> bool:
    try:
        said = ask(_("Keep it in the system keyring? [y/N] "))
    except NobodyAnswersError:
        return False
    return narrow(said).strip().lower() in YES


def logout(settings: Metask) -> str:
    """Forget the key of this kernel and of the keyring; say where another still comes from."""
    settings.api_key = None
    keyring = _keyring()
    if keyring is not None:
        with contextlib.suppress(keyring.errors.KeyringError):  # there was none
            keyring.delete_password(KEYRING_SERVICE, settings.base_url)
    try:
        return _("Forgotten. A key is still found in {source}.", source=settings.find_key().source)
    except SettingError:
        return _("Forgotten: there is no key any more.")


def _keyring() -> Any:
    try:
        import keyring
        import keyring.errors
    except ImportError:
        return None
    return keyring


def help_table() -> Table:
    """Return what can be typed, and for what."""
    rows = (  # English: the left column is typed so in any language
        ("%%metask [MODEL] [options]", _("ask; the cell is the prompt ({{ name }} puts in a value)")),
        ("%metask MODEL prompt", _("ask in one line: answer = %metask gpt-4o-mini Hello!")),
        ("%%metask local", _("ask a very small model on this machine, without a key")),
        ("%metask", _("show what would be asked, where, with whose key")),
        ("%%metask MODEL MODEL …", _("ask several models, side by side")),
        ("%%metask MODEL --map df", _("ask about each row of a table ({{ row.column }})")),
        (
            "%%metask gpt-4o-mini gpt-4o --map df --check column",
            _("try models on a table: which is good enough?"),
        ),
        ("%metask models [PATTERN]", _("list the models this key may use")),
        ("%metask explain [MODEL [question]]", _("ask about the last exception")),
        ("%metask tools", _("servers of tools (MCP) and what they have; add, load, show, remove one")),
        ("%metask export [NAME] [python|node|curl] [PATH]", _("a reply's request as a script of its own")),
        ("%metask chats", _("list the conversations (-c NAME); show, fork, trim, save one")),
        ("%metask usage [--reset]", _("show the tokens used so far; start the count over")),
        ("%metask recordings", _("list the recorded replies; show, compact, forget, verify")),
        ("%metask login, %metask logout", _("enter a key without showing it; forget it")),
        ("%config Metask", _('show the settings; %config Metask.model = "…" sets one')),
        ("%%metask?", _("list the options")),
    )
    return Table("%metask", (pgettext("head of the help", "type"), pgettext("head of the help", "for")), rows)
